"""What Stripe makes of currencies: which it takes, in which unit, from which amount.

Sources: docs.stripe.com/currencies (presentment currencies, special cases, minimum amounts).
"""

from payloom.core.currencies import exponent
from payloom.sandbox.stripe.protocol.errors import invalid

SUPPORTED = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn "
    "bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd "
    "gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak "
    "lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
    "omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std "
    "szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer "
    "zar zmw".split()
)
# Stripe's unit differs from the one of ISO 4217
_EXPONENTS = {"isk": 2, "ugx": 2, "mga": 0, "ang": 2, "bgn": 2, "std": 2}
WHOLE_ONLY = frozenset({"isk", "ugx"})  # written with two decimals which must be 00

MINIMUM = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
MAXIMUM = 99_999_999


def decimals(currency: str) -> int:
    """Decimal places of Stripe's unit of a supported currency."""
    known = _EXPONENTS.get(currency)
    return exponent(currency.upper()) if known is None else known


def check_currency(value: object, name: str) -> str:
    """A supported currency, in lower case as Stripe answers it."""
    code = value.lower() if isinstance(value, str) else ""
    if code not in SUPPORTED:
        supported = ", ".join(sorted(SUPPORTED))
        raise invalid(
            f"Invalid currency: {str(value)[:20]}. Stripe currently supports these currencies:"
            f" {supported}",
            param=name,
        )
    return code


def check_unit(amount: int, currency: str, name: str) -> None:
    """Refuse amounts that the card networks cannot express."""
    if currency in WHOLE_ONLY and amount % 100:
        raise invalid(
            f"Invalid amount. Currency {currency.upper()} has become effectively zero-decimal and"
            " charged amounts must be evenly divisible by 100.",
            param=name,
            code="invalid_charge_amount_no_decimal_compatible",
        )
    if decimals(currency) == 3 and amount % 10:
        raise invalid(
            f"Invalid amount. Amounts in {currency.upper()} must be evenly divisible by 10.",
            param=name,
            code="parameter_invalid_integer",
        )


def check_total(amount: int, currency: str) -> None:
    """Refuse totals that Stripe does not charge; nothing at all is allowed."""
    least = MINIMUM.get(currency, 1)
    if 0 < amount < least:
        raise invalid(
            "The Checkout Session's total amount must convert to at least"
            f" {plain(least, currency)} {currency.upper()}.",
            code="amount_too_small",
        )
    if amount > MAXIMUM:
        raise invalid(
            "The Checkout Session's total amount due must be no more than"
            f" {plain(MAXIMUM, currency)} {currency.upper()}.",
            code="amount_too_large",
        )


def check_payment(amount: int, currency: str) -> None:
    """Refuse amounts of a payment intent that Stripe does not charge."""
    least = MINIMUM.get(currency, 1)
    if amount < least:
        raise invalid(
            f"Amount must be at least {plain(least, currency)} {currency}",
            param="amount",
            code="amount_too_small",
        )
    if amount > MAXIMUM:
        raise invalid(
            f"Amount must be no more than {plain(MAXIMUM, currency)} {currency}",
            param="amount",
            code="amount_too_large",
        )
    check_unit(amount, currency, "amount")


def plain(amount: int, currency: str) -> str:
    """The amount in decimal digits: 1234 → 12.34, 1234 (yen) → 1,234, 1234 (dinar) → 1.234."""
    places = decimals(currency)
    whole, rest = divmod(amount, 10**places)
    return f"{whole:,}.{rest:0{places}d}" if places else f"{whole:,}"
