"""The parameters of a price, wherever one is made: by itself, for a product, for a line item."""

from decimal import Decimal, InvalidOperation
from typing import Any

from payloom.sandbox.stripe.catalog.currencies import check_currency, check_unit
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter

Json = dict[str, Any]

UNIT_AMOUNT_MAX = 999_999_999_999
DECIMAL_PLACES_MAX = 12
INTERVALS = {"day": 1095, "week": 156, "month": 36, "year": 3}  # and the most of each: three years
TAX_BEHAVIORS = ("exclusive", "inclusive", "unspecified")
TAX_DETAILS: dict[str, params.Check] = {
    "performance_location": params.text(),
    "tax_code": params.text(may_be_empty=True),
}


def unit_decimal(value: Any, name: str) -> Decimal:
    """`unit_amount_decimal`: minor units, of which there may be parts."""
    try:
        number = Decimal(params.text(40)(value, name))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= UNIT_AMOUNT_MAX:
        raise invalid(f"Invalid decimal: {str(value)[:40]}", param=name)
    if -int(number.as_tuple().exponent) > DECIMAL_PLACES_MAX:
        message = f"Invalid decimal: {value}; must have at most {DECIMAL_PLACES_MAX} decimal places"
        raise invalid(message, param=name)
    return number


RECURRING = params.hash_of(
    {
        "interval": params.one_of(*INTERVALS),
        "interval_count": params.integer(1),
        "meter": params.text(),
        "trial_period_days": params.integer(0),
        "usage_type": params.one_of("licensed", "metered"),
    },
    required=("interval",),
)
# what a price is, whoever makes it
PRICE: dict[str, params.Check] = {
    "currency": check_currency,
    "recurring": RECURRING,
    "tax_behavior": params.one_of(*TAX_BEHAVIORS),
    "unit_amount": params.integer(0, UNIT_AMOUNT_MAX),
    "unit_amount_decimal": unit_decimal,
}


def amounts(asked: Json, name: str = "") -> Json:
    """`unit_amount` and `unit_amount_decimal`; `name`: of the parameter that they are inside."""

    def full(field: str) -> str:
        return f"{name}[{field}]" if name else field

    if "unit_amount" in asked and "unit_amount_decimal" in asked:
        raise invalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
            param=full("unit_amount"),
            code="parameters_exclusive",
        )
    exact = asked.get("unit_amount_decimal", asked.get("unit_amount"))
    if exact is None:
        raise missing_parameter(full("unit_amount"))
    is_whole = exact == int(exact)
    if is_whole:
        check_unit(int(exact), asked["currency"], full("unit_amount"))
    return {
        "unit_amount": int(exact) if is_whole else None,
        "unit_amount_decimal": str(int(exact)) if is_whole else f"{exact.normalize():f}",
    }


def recurring(asked: Json, name: str) -> Json:
    """How often it is to be paid, as a price shows it."""
    count = asked.get("interval_count", 1)
    if count > INTERVALS[asked["interval"]]:
        message = "The maximum is three years between payments."
        raise invalid(message, param=f"{name}[interval_count]")
    return {
        "interval": asked["interval"],
        "interval_count": count,
        "meter": asked.get("meter"),
        "trial_period_days": asked.get("trial_period_days"),
        "usage_type": asked.get("usage_type", "licensed"),
    }
