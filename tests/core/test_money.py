"""Amounts are exact in every currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payloom.core.currencies import EXPONENTS, exponent
from payloom.core.money import AMOUNT_MAX, Money

amounts = st.integers(-AMOUNT_MAX, AMOUNT_MAX)
currencies = st.sampled_from(sorted(EXPONENTS))
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any)


@given(amounts, currencies, weights)
def test_the_parts_of_a_split_sum_to_the_whole(
    minor: int, currency: str, shares: list[int]
) -> None:
    whole = Money(minor, currency)
    parts = whole.split(*shares)
    assert sum(part.minor for part in parts) == minor
    assert len(parts) == len(shares)
    assert {part.currency for part in parts} == {currency}
    for part, share in zip(parts, shares, strict=True):
        exact = minor * share / sum(shares)
        assert abs(part.minor - exact) <= 1 + abs(exact) * 1e-12


@given(amounts, currencies)
def test_the_text_for_people_has_the_currencys_decimals(minor: int, currency: str) -> None:
    number, code = str(Money(minor, currency)).split(" ")
    assert code == currency
    whole, _, fraction = number.partition(".")
    assert len(fraction) == exponent(currency)
    assert int(whole + fraction) == minor


def test_every_exponent_is_shown_right() -> None:
    shown = [str(Money(1234, currency)) for currency in ("JPY", "EUR", "KWD")]
    assert shown == ["1234 JPY", "12.34 EUR", "1.234 KWD"]
    assert [str(Money(-5, currency)) for currency in ("JPY", "EUR", "KWD")] == [
        "-5 JPY", "-0.05 EUR", "-0.005 KWD",
    ]  # fmt: skip
    assert {exponent(code) for code in EXPONENTS} == {0, 2, 3}


@given(amounts, amounts, currencies)
def test_sums_and_differences_are_exact(a: int, b: int, currency: str) -> None:
    one, other = Money(a, currency), Money(b, currency)
    assert (one + other).minor == a + b
    assert (one - other).minor == a - b
    assert (-one).minor == -a


def test_two_currencies_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, "EUR") - Money(1, "USD")


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_an_amount_is_a_whole_number(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")  # type: ignore[arg-type] # what a careless caller does


@pytest.mark.parametrize("currency", ["eur", "EURO", "XXX", "XAU", ""])
def test_a_currency_is_one_that_people_pay_in(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


@pytest.mark.parametrize("shares", [(0, 0), (-1, 2), (2, -1)])
def test_weights_that_share_out_nothing_are_refused(shares: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(100, "EUR").split(*shares)
