"""What Stripe makes of currencies: its own scales, and the least it charges.

Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal, special cases, minimum
amounts). A minimum in the settlement currency may be higher still: then Stripe refuses.
"""

from payloom.connectors.contract import AmountNotSupported
from payloom.core.currencies import EXPONENTS, exponent
from payloom.core.errors import FieldError
from payloom.core.money import Money

# Amounts go out in whole units. MGA has two decimals in ISO 4217, none at Stripe.
_ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
# The least significant digit must be 0.
_THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
# All others have two, also ISK and UGX, which have none in ISO 4217: theirs must be 00.
_NOT_TAKEN = frozenset("CUP IQD IRR KPW LYD SDG SSP SYP VED VES ZWG".split())

# In Stripe's units.
_MINIMUM = {
    "AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200,
    "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip
_MAXIMUM = 99_999_999  # eight digits; some currencies have more, none less


def to_stripe(amount: Money) -> int:
    """The amount in Stripe's units. Raises AmountNotSupported for what Stripe can't represent."""
    currency = amount.currency
    if currency in _NOT_TAKEN:
        raise _refused("currency", f"Stripe does not take {currency}")
    wire = scaled(amount.minor, currency)
    least = _MINIMUM.get(currency, 1)
    if wire < least:
        raise _refused("amount", f"Stripe takes {from_stripe(least, currency)} at least")
    if wire > _MAXIMUM:
        most = from_stripe(_MAXIMUM - _MAXIMUM % _unit(currency), currency)
        raise _refused("amount", f"Stripe takes {most} at most")
    return wire


def scaled(minor: int, currency: str) -> int:
    """Minor units in Stripe's scale, whatever their size. Raises AmountNotSupported."""
    shift = _places(currency) - exponent(currency)
    wire: int
    wire, lost = divmod(minor * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    if lost:
        raise _refused("amount", f"Stripe takes {currency} in whole units only")
    if currency in _THREE_DECIMAL and wire % 10:
        raise _refused("amount", f"Stripe takes {currency} amounts whose last digit is 0 only")
    return wire


def from_stripe(wire: int, currency: str) -> Money:
    """Our amount of Stripe's. Raises ValueError for a currency we do not know, and for cents of a
    currency that has none."""
    currency = currency.upper()
    if currency not in EXPONENTS:
        raise ValueError(f"{currency!r} is not a currency we know")
    lost_places = max(exponent(currency) - _places(currency), 0)
    minor, lost = divmod(wire * 10**lost_places, _unit(currency))
    if lost:
        raise ValueError(f"{wire} is not a whole number of {currency}")
    return Money(minor, currency)


def _unit(currency: str) -> int:
    """The least step of a Stripe amount that is a whole minor unit of ours (ISK: 100)."""
    return int(10 ** max(_places(currency) - exponent(currency), 0))


def _places(currency: str) -> int:
    if currency in _ZERO_DECIMAL:
        return 0
    if currency in _THREE_DECIMAL:
        return 3
    return 2


def _refused(field: str, message: str) -> AmountNotSupported:
    return AmountNotSupported(message, errors=[FieldError(field, message)])
