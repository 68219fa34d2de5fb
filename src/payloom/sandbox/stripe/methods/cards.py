"""Stripe's documented test cards (docs.stripe.com/testing) and what each of them does."""

from dataclasses import dataclass

from payloom.sandbox.stripe.protocol.errors import Failure


@dataclass(frozen=True, slots=True)
class Card:
    number: str
    brand: str
    funding: str
    country: str
    three_d_secure: str  # whether the bank asks: see _SECURE
    decline: Failure | None
    risk: str  # "normal", "elevated", "highest"
    refund: str  # what becomes of one: "at_once", "pending" or "fails"
    pays_late: bool  # also when the page has ended: a handle of ours, for a PSP that races


_MESSAGES = {
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": (
        "An error occurred while processing your card. Try again in a little bit."
    ),
    "insufficient_funds": "Your card has insufficient funds.",
    "card_velocity_exceeded": (
        "Your card was declined for making repeated attempts too frequently or exceeding its"
        " amount limit."
    ),
}
_ADVICE = {
    "generic_decline": "try_again_later",
    "insufficient_funds": "try_again_later",
    "card_velocity_exceeded": "try_again_later",
    "processing_error": "try_again_later",
    "lost_card": "do_not_try_again",
    "stolen_card": "do_not_try_again",
    "fraudulent": "do_not_try_again",
    "expired_card": "do_not_try_again",
    "incorrect_cvc": "confirm_card_data",
}

# when the bank asks the shopper to authenticate; a card that is in none of these pays without
_SECURE = {
    "3ds": "required",
    "3ds_optional": "optional",  # if the merchant wishes so
    "3ds_unless_set_up": "unless_set_up",  # but for a later payment, once it was authenticated
    "3ds_on_session": "on_session",  # it was authenticated before: when the shopper is there
}

# number, brand, funding, country, behaviours, names of server-side tokens.
# A behaviour that is none of 3ds…, elevated, highest, late, refund_… declines so.
_TABLE = """
4242424242424242 visa       credit  US -                      visa
4000056655665556 visa       debit   US -                      visa_debit
5555555555554444 mastercard credit  US -                      mastercard
2223003122003222 mastercard credit  US -
5200828282828210 mastercard debit   US -                      mastercard_debit
5105105105105100 mastercard prepaid US -                      mastercard_prepaid
378282246310005  amex       credit  US -                      amex
371449635398431  amex       credit  US -
6011111111111117 discover   credit  US -                      discover
6011000990139424 discover   credit  US -
3056930009020004 diners     credit  US -                      diners
36227206271667   diners     credit  US -
3566002020360505 jcb        credit  JP -                      jcb
6200000000000005 unionpay   credit  CN -                      unionpay
4000003560000008 visa       credit  IN -                      in
4000000000000077 visa       credit  US -                      bypassPending
4000000000000002 visa       credit  US generic_decline        chargeDeclined visa_chargeDeclined
4000000000009995 visa       credit  US insufficient_funds     chargeDeclinedInsufficientFunds visa_chargeDeclinedInsufficientFunds
4000000000009987 visa       credit  US lost_card              chargeDeclinedLostCard visa_chargeDeclinedLostCard
4000000000009979 visa       credit  US stolen_card            chargeDeclinedStolenCard visa_chargeDeclinedStolenCard
4000000000006975 visa       credit  US card_velocity_exceeded chargeDeclinedVelocityLimitExceeded visa_chargeDeclinedVelocityLimitExceeded
4000000000000069 visa       credit  US expired_card           chargeDeclinedExpiredCard
4000000000000127 visa       credit  US incorrect_cvc          chargeDeclinedIncorrectCvc
4000000000000119 visa       credit  US processing_error       chargeDeclinedProcessingError
4000000000000341 visa       credit  US generic_decline        chargeCustomerFail
4100000000000019 visa       credit  US fraudulent,highest     chargeDeclinedFraudulent radarBlock
4000000000004954 visa       credit  US highest                riskLevelHighest
4000000000009235 visa       credit  US elevated               riskLevelElevated
4000002760003184 visa       credit  IE 3ds                    authenticationRequired
4000002500003155 visa       credit  IE 3ds_unless_set_up                   authenticationRequiredOnSetup
4000003800000446 visa       credit  IE 3ds_on_session                   authenticationRequiredSetupForOffSession
4000000000003220 visa       credit  US 3ds                    threeDSecure2Required
4000000000003055 visa       credit  US 3ds_optional           threeDSecureOptional
4000008400001629 visa       credit  US 3ds,generic_decline    threeDSecureRequiredChargeDeclined
4000008260003178 visa       credit  US 3ds,insufficient_funds authenticationRequiredChargeDeclinedInsufficientFunds
4000000000000259 visa       credit  US -                      createDispute
4000000000002685 visa       credit  US -                      createDisputeProductNotReceived
4000000000001976 visa       credit  US -                      createDisputeInquiry
4000000000005423 visa       credit  US -                      createIssuerFraudRecord
4000000000007726 visa       credit  US refund_pending          pendingRefund
4000000000005126 visa       credit  US refund_fails            refundFail
4000000000009912 visa       credit  US late
"""  # noqa: E501 a table

# what the leading digits say of a number that is in no table
_BRANDS = (
    ("34 37", "amex"),
    ("300 301 302 303 304 305 36 38 39", "diners"),
    ("6011 644 645 646 647 648 649 65", "discover"),
    ("35", "jcb"),
    ("62 81", "unionpay"),
    ("51 52 53 54 55 22 23 24 25 26 27", "mastercard"),
    ("4", "visa"),
)


def _decline(decline_code: str) -> Failure:
    has_own_code = decline_code in ("expired_card", "incorrect_cvc", "processing_error")
    return Failure(
        code=decline_code if has_own_code else "card_declined",
        decline_code=decline_code,
        message=_MESSAGES.get(decline_code, "Your card was declined."),
        advice_code=_ADVICE[decline_code],
    )


def _read_table() -> tuple[dict[str, Card], dict[str, str]]:
    cards: dict[str, Card] = {}
    names: dict[str, str] = {}
    for line in _TABLE.strip().splitlines():
        number, brand, funding, country, behaviours, *tokens = line.split()
        does = set(behaviours.split(",")) - {"-"}
        refund = next((word for word in does if word.startswith("refund_")), "refund_at_once")
        codes = does - {*_SECURE, "elevated", "highest", "late", refund}
        secure = next((_SECURE[word] for word in does if word in _SECURE), "")
        risk = next((level for level in ("elevated", "highest") if level in does), "normal")
        decline = _decline(codes.pop()) if codes else None
        course = refund.removeprefix("refund_")
        late = "late" in does
        cards[number] = Card(number, brand, funding, country, secure, decline, risk, course, late)
        names |= dict.fromkeys(tokens, number)
    return cards, names


CARDS, _NAMES = _read_table()

NOT_A_TEST_CARD = Failure(
    code="card_declined",
    decline_code="test_mode_live_card",
    message=(
        "Your card was declined. Your request was in test mode, but used a non test card. For a"
        " list of valid test cards, visit: https://stripe.com/docs/testing."
    ),
)


def named(token: str) -> Card | None:
    """The card of a test token (`tok_visa`) or test payment method (`pm_card_visa`)."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            number = _NAMES.get(token.removeprefix(prefix))
            return CARDS[number] if number else None
    return None


def brand_of(number: str) -> str:
    for prefixes, brand in _BRANDS:
        if number.startswith(tuple(prefixes.split())):
            return brand
    return "unknown"
