"""What is set for each method of payment: 3-D Secure of cards, the days of vouchers."""

from collections.abc import Sequence
from typing import Any

from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.shapes.checkout import session_card_options
from payloom.sandbox.stripe.protocol.shapes.payments import intent_card_options

Json = dict[str, Any]

METHOD_TYPES = tuple(
    (
        "acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit "
        "bancontact billie bizum blik boleto card cashapp crypto customer_balance eps fpx giropay "
        "grabpay ideal kakao_pay klarna konbini kr_card link mb_way mobilepay multibanco naver_pay "
        "nz_bank_account oxxo p24 pay_by_bank payco paynow paypal paypay payto pix promptpay "
        "revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish twint upi "
        "us_bank_account wechat_pay zip"
    ).split()
)
WITH_DAYS = ("boleto", "konbini", "oxxo")  # whose vouchers live as long as the merchant says
_VOUCHER = params.hash_of(
    {"expires_after_days": params.integer(1, 60), "setup_future_usage": params.one_of("none")}
)
OPTIONS = params.hash_of(
    {
        **dict.fromkeys(METHOD_TYPES, params.anything),
        **dict.fromkeys(WITH_DAYS, _VOUCHER),
        "card": params.hash_of(
            {
                **dict.fromkeys(intent_card_options()["card"], params.anything),
                "capture_method": params.one_of("manual"),
                "request_three_d_secure": params.one_of("automatic", "any", "challenge"),
                "restrictions": params.anything,
                "setup_future_usage": params.one_of("off_session", "on_session"),
                "statement_descriptor_suffix_kana": params.text(),
                "statement_descriptor_suffix_kanji": params.text(),
            }
        ),
    }
)


def of_session(types: Sequence[str], asked: Json) -> Json:
    """What to keep of a session's options: nothing, where they are the usual ones."""
    return _kept(types, asked, session_card_options())


def of_intent(types: Sequence[str], asked: Json) -> Json:
    """The same of a payment intent's."""
    kept = _kept(types, asked, intent_card_options())
    if "konbini" in types:
        more = ("confirmation_number", "expires_at", "product_description")
        kept["payment_method_options"]["konbini"] |= dict.fromkeys(more)
    return kept


def _kept(types: Sequence[str], asked: Json, usual: Json) -> Json:
    options: Json = {}
    if "card" in types:
        card = asked.get("card", {})
        given = {name: card[name] for name in usual["card"] if card.get(name) is not None}
        options["card"] = usual["card"] | given
    for type_ in WITH_DAYS:
        if type_ in types:
            days = asked.get(type_, {}).get("expires_after_days", VOUCHERS[type_].days)
            options[type_] = {"expires_after_days": days, "setup_future_usage": "none"}
    return {} if options == usual else {"payment_method_options": options}
