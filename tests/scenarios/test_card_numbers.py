"""The database refuses card numbers too, for whoever gets past the code (I22, F28)."""

import asyncpg
import pytest

from payloom.core.masking import holds_card_or_secret
from payloom.runtime import Runtime
from payloom.sandbox.stripe.methods.cards import CARDS
from tests.scenarios.moves import made
from tests.scenarios.stage import Stage

CARD = "4242424242424242"


async def held(rt: Runtime, text: str) -> bool:
    async with rt.db.statement() as tx:
        return bool(await tx.fetchval("SELECT holds_card($1)", text))


async def test_it_knows_the_largest_schemes(rt: Runtime) -> None:
    for number in CARDS:
        known = len(number) == 15 or (len(number) == 16 and number[:2] in "40 41 42 51 52 53 54 55")
        assert await held(rt, f"paid with {number}.5") is False
        assert await held(rt, f'{{"n": "{number}"}}') is known, number


async def test_it_refuses_nothing_that_the_code_takes(rt: Runtime) -> None:
    """Else an order that was found good would break."""
    for number in range(4_242_424_242_424_000, 4_242_424_242_424_400):
        for text in (
            f"{number}",
            f"a {number} b",
            f"0.{number}",
            f"{number}-1",
            f"x{number}",
            f"1{number}",
        ):
            if await held(rt, text):
                assert holds_card_or_secret(text), text


@pytest.mark.parametrize(
    "change",
    [
        {"reference": f"'{CARD}'"},
        {"description": f"'paid with {CARD}'"},
        {"return_url": f"'https://shop.example/?card={CARD}'"},
        {"customer": f"""'{{"name": "{CARD}"}}'"""},
        {"metadata": f"""'{{"note": "{CARD}"}}'"""},
        {"line_items": f"""'[{{"name": "{CARD}"}}]'"""},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_an_order_with_a_card_number_is_refused_and_the_number_not_told(
    stage: Stage, change: dict[str, str]
) -> None:
    await made(stage)
    columns = ["merchant_id", "id", "reference", "fingerprint", "payment_order_status", "version",
               "event_sequence", "payment_type", "payment_method", "method_types", "psp", "amount",
               "currency", "capture", "return_url", "description", "customer", "line_items",
               "metadata", "current_attempt", "expires_at", "correlation_id", "created_at",
               "updated_at"]  # fmt: skip
    values = {name: name for name in columns} | {"id": "gen_random_uuid()", "reference": "'x'"}
    values |= change
    copying = (
        f"INSERT INTO payment_orders ({', '.join(values)})"
        f" SELECT {', '.join(values.values())} FROM payment_orders"
    )
    async with stage.rt.db.statement() as tx:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await tx.execute(copying)
    assert CARD not in str(refused.value)
    assert CARD not in (refused.value.detail or "")


async def test_no_card_number_becomes_a_token(stage: Stage) -> None:
    await made(stage)
    async with stage.rt.db.statement() as tx:
        with pytest.raises(asyncpg.CheckViolationError):
            await tx.execute("UPDATE attempts SET token = $1", CARD)
