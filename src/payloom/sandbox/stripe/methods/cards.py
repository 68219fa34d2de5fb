"""Stripe's documented test cards (docs.stripe.com/testing) and what each of them does."""

from collections.abc import Mapping
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
    can_be_saved: bool  # attached to a customer: a card that declines at once cannot
    checks: Mapping[str, str]  # of the address and the security code: where they do not pass
    aftermath: str  # what follows when it has paid: see _AFTERMATHS
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

# what becomes of the checks of what was given besides the number
_LINE1, _POSTAL_CODE, _CVC = "address_line1_check", "address_postal_code_check", "cvc_check"
_CHECKS = {
    "cvc_fails": {_CVC: "fail"},
    "line1_fails": {_LINE1: "fail"},
    "postal_code_fails": {_POSTAL_CODE: "fail"},
    "address_fails": {_LINE1: "fail", _POSTAL_CODE: "fail"},
    "address_unavailable": {_LINE1: "unavailable", _POSTAL_CODE: "unavailable"},
}

# what follows a payment, within moments
_AFTERMATHS = (
    "available",  # the money skips the pending balance
    "disputed_fraudulent",
    "disputed_not_received",
    "disputed_inquiry",  # the bank only asks
    "warned",  # of fraud, early
)

# number, brand, funding, country, behaviours, names of server-side tokens.
# A behaviour that is none of 3ds…, elevated, highest, late, refund_…, saved, a check or an
# aftermath declines so; one that is `saved` declines only once the card is attached to a customer.
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
4000000000000077 visa       credit  US available              bypassPending
4000003720000278 visa       credit  IE available              bypassPendingInternational
4000051230000072 visa       debit   US -                      debit_visaFsaProductCode debit_visaHsaProductCode
5200828282828897 mastercard debit   US -                      mastercard_debit_mastercardFsaProductCode
6011981111111113 discover   debit   US -
4000000000000002 visa       credit  US generic_decline        chargeDeclined visa_chargeDeclined
4000000000009995 visa       credit  US insufficient_funds     chargeDeclinedInsufficientFunds visa_chargeDeclinedInsufficientFunds visa_debit_chargeDeclinedInsufficientFunds
4000000000009987 visa       credit  US lost_card              chargeDeclinedLostCard visa_chargeDeclinedLostCard
4000000000009979 visa       credit  US stolen_card            chargeDeclinedStolenCard visa_chargeDeclinedStolenCard
4000000000006975 visa       credit  US card_velocity_exceeded chargeDeclinedVelocityLimitExceeded visa_chargeDeclinedVelocityLimitExceeded
4000000000000069 visa       credit  US expired_card           chargeDeclinedExpiredCard visa_chargeDeclinedExpiredCard
4000000000000127 visa       credit  US incorrect_cvc          chargeDeclinedIncorrectCvc visa_chargeDeclinedIncorrectCvc
4000000000000119 visa       credit  US processing_error       chargeDeclinedProcessingError visa_chargeDeclinedProcessingError
4000000000000341 visa       credit  US generic_decline,saved  chargeCustomerFail visa_chargeCustomerFail
4000000000000358 visa       credit  US lost_card,saved        visa_chargeCustomerFailLostCard
4000000000000366 visa       credit  US stolen_card,saved      visa_chargeCustomerFailStolenCard
4100000000000019 visa       credit  US fraudulent,highest     chargeDeclinedFraudulent radarBlock visa_chargeDeclinedFraudulent
4000000000004954 visa       credit  US highest                riskLevelHighest
4000000000009235 visa       credit  US elevated               riskLevelElevated
4000000000000101 visa       credit  US cvc_fails              cvcCheckFail
4000000000000036 visa       credit  US postal_code_fails      avsZipFail
4000058400307872 visa       credit  US cvc_fails,elevated     cvcCheckFailElevatedRisk
4000058400306072 visa       credit  US postal_code_fails,elevated avsZipFailElevatedRisk
4000000000000028 visa       credit  US line1_fails            avsLine1Fail
4000000000000010 visa       credit  US address_fails          avsFail
4000000000000044 visa       credit  US address_unavailable    avsUnchecked
4000002760003184 visa       credit  IE 3ds                    authenticationRequired
4000002500003155 visa       credit  IE 3ds_unless_set_up                   authenticationRequiredOnSetup
4000003800000446 visa       credit  IE 3ds_on_session                   authenticationRequiredSetupForOffSession
4000000000003220 visa       credit  US 3ds                    threeDSecure2Required
4000000000003055 visa       credit  US 3ds_optional           threeDSecureOptional
4000008400001629 visa       credit  US 3ds,generic_decline    threeDSecureRequiredChargeDeclined
4000008260003178 visa       credit  US 3ds,insufficient_funds authenticationRequiredChargeDeclinedInsufficientFunds
4000000000000259 visa       credit  US disputed_fraudulent    createDispute visa_createDispute
4000000000002685 visa       credit  US disputed_not_received  createDisputeProductNotReceived visa_createDisputeProductNotReceived
4000000000001976 visa       credit  US disputed_inquiry       createDisputeInquiry visa_createDisputeInquiry
4000000000005423 visa       credit  US warned                 createIssuerFraudRecord
4000000000007726 visa       credit  US refund_pending          pendingRefund
4000000000005126 visa       credit  US refund_fails            refundFail
4000000000009912 visa       credit  US late
"""  # noqa: E501 a table
# cards of other countries, which pay; the name where it is not the country's (-: none)
_ABROAD = """
AR 4000000320000021 · BR 4000000760000002 · CA 4000001240000000 · CL 4000001520000001
CO 4000001700000003 · CR 4000001880000005 · EC 4000002180000000 · MX 4000004840008001
PA 4000005910000000 · PY 4000006000000066 · PE 4000006040000068 · UY 4000008580000003
AE 4000007840000001 · AT 4000000400000008 · BE 4000000560000004 · BG 4000001000000000
BY 4000001120000005 · HR 4000001910000009 · CY 4000001960000008 · CZ 4000002030000002
DK 4000002080000001 · EE 4000002330000009 · FI 4000002460000001 · FR 4000002500000003
DE 4000002760000016 · GI 4000002920000005 · GR 4000003000000030 · HU 4000003480000005
IE 4000003720000005 · IT 4000003800000008 · LV 4000004280000005 · LI 4000004380000004
LT 4000004400000000 · LU 4000004420000006 · MT 4000004700000007 · NL 4000005280000002
NO 4000005780000007 · PL 4000006160000005 · PT 4000006200000007 · RO 4000006420000001
SA 4000006820000007 · SI 4000007050000006 · SK 4000007030000001 · ES 4000007240000007
SE 4000007520000008 · CH 4000007560000009 · GB 4000008260000000
GB 4000058260000005 gb_debit · GB 5555558265554449 gb_mastercard
AU 4000000360000006 · CN 4000001560000002 · HK 4000003440000004 · IN 4000003560000008
JP 4000003920000003 · JP 3530111333300000 - · MY 4000004580000002 · NZ 4000005540000008
SG 4000007020000003 · TW 4000001580000008
TH 4000007640000003 th_credit · TH 4000057640000008 th_debit
"""

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
    for line in [*_TABLE.strip().splitlines(), *_rows_abroad()]:
        number, brand, funding, country, behaviours, *tokens = line.split()
        does = set(behaviours.split(",")) - {"-"}
        refund = next((word for word in does if word.startswith("refund_")), "refund_at_once")
        checks = {k: v for word in does for k, v in _CHECKS.get(word, {}).items()}
        others = {"elevated", "highest", "late", "saved", refund}
        codes = does - {*_SECURE, *_AFTERMATHS, *_CHECKS, *others}
        secure = next((_SECURE[word] for word in does if word in _SECURE), "")
        risk = next((level for level in ("elevated", "highest") if level in does), "normal")
        decline = _decline(codes.pop()) if codes else None
        course = refund.removeprefix("refund_")
        cards[number] = Card(
            number, brand, funding, country, secure, decline, risk, course,
            can_be_saved=decline is None or "saved" in does or bool(secure) or risk == "highest",
            checks=checks,
            aftermath=next((word for word in _AFTERMATHS if word in does), ""),
            pays_late="late" in does,
        )  # fmt: skip
        names |= dict.fromkeys(tokens, number)
    return cards, names


def _rows_abroad() -> list[str]:
    """The cards of other countries, as rows of the table above."""
    rows = []
    for entry in " · ".join(_ABROAD.strip().splitlines()).split(" · "):
        country, number, *name = entry.split()
        token = name[0] if name else country.lower()
        funding = "debit" if token.endswith("debit") else "credit"
        rows.append(f"{number} {brand_of(number)} {funding} {country} - {token.strip('-')}")
    return rows


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


CARDS, _NAMES = _read_table()
ABROAD = frozenset(row.split()[0] for row in _rows_abroad())
