"""Our method types in Stripe's words, by currency.

Sources: https://docs.stripe.com/payments/payment-methods/payment-method-support and the value list
of `allowed_payment_method_types` in the pinned API version. Apple Pay and Google Pay have no value
of their own: they ride on `card`. Stripe has no Indian netbanking.
"""

from collections.abc import Sequence

from payloom.connectors.contract import MethodTypeUnavailable
from payloom.core.errors import FieldError

_ANY: frozenset[str] = frozenset()

# type → Stripe's method → currencies it is offered in (none: any that cards take)
METHOD_TYPES: dict[str, dict[str, frozenset[str]]] = {
    "card": {"card": _ANY, "link": _ANY},
    "netbanking": {},
    "upi": {"upi": frozenset({"INR"})},
    "wallet": {
        "alipay": frozenset("AUD CAD CNY EUR GBP HKD JPY MYR NZD SGD USD".split()),
        "amazon_pay": frozenset("AUD CHF DKK EUR GBP HKD JPY NOK NZD SEK USD ZAR".split()),
        "cashapp": frozenset({"USD"}),
        "grabpay": frozenset({"MYR", "SGD"}),
        "mobilepay": frozenset("DKK EUR NOK SEK".split()),
        "paypal": frozenset("AUD CAD CHF CZK DKK EUR GBP HKD NOK NZD PLN SEK SGD USD".split()),
        "paypay": frozenset({"JPY"}),
        "revolut_pay": frozenset("EUR GBP HUF PLN RON".split()),
        "satispay": frozenset({"EUR"}),
        "swish": frozenset({"SEK"}),
        "wechat_pay": frozenset("AUD CAD CHF CNY DKK EUR GBP HKD JPY NOK SEK SGD USD".split()),
    },
    "bnpl": {
        "affirm": frozenset({"CAD", "USD"}),
        "afterpay_clearpay": frozenset("AUD CAD GBP NZD USD".split()),
        "alma": frozenset({"EUR"}),
        "billie": frozenset({"EUR", "GBP"}),
        "klarna": frozenset("AUD CAD CHF CZK DKK EUR GBP NOK NZD PLN RON SEK USD".split()),
        "zip": frozenset({"AUD"}),
    },
    "bank_debit": {
        "acss_debit": frozenset({"CAD", "USD"}),
        "au_becs_debit": frozenset({"AUD"}),
        "bacs_debit": frozenset({"GBP"}),
        "nz_bank_account": frozenset({"NZD"}),
        "sepa_debit": frozenset({"EUR"}),
        "us_bank_account": frozenset({"USD"}),
    },
    "bank_redirect": {
        "bancontact": frozenset({"EUR"}),
        "blik": frozenset({"PLN"}),
        "eps": frozenset({"EUR"}),
        "fpx": frozenset({"MYR"}),
        "ideal": frozenset({"EUR"}),
        "p24": frozenset({"EUR", "PLN"}),
        "pay_by_bank": frozenset({"GBP"}),
        "twint": frozenset({"CHF"}),
    },
    "voucher": {
        "boleto": frozenset({"BRL"}),
        "konbini": frozenset({"JPY"}),
        "multibanco": frozenset({"EUR"}),
        "oxxo": frozenset({"MXN"}),
    },
}

TYPE_OF = {method: kind for kind, methods in METHOD_TYPES.items() for method in methods}


def allowed(method_types: Sequence[str], currency: str) -> list[str]:
    """Values for `allowed_payment_method_types`; none wanted means no filter.

    Raises MethodTypeUnavailable when nothing is left for the currency.
    """
    values = [
        method
        for kind in dict.fromkeys(method_types)
        for method, currencies in METHOD_TYPES[kind].items()
        if not currencies or currency in currencies
    ]
    if method_types and not values:
        message = f"Stripe has none of {', '.join(method_types)} for {currency}"
        raise MethodTypeUnavailable(message, errors=[FieldError("method_types", message)])
    return values
