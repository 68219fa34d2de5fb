"""The table of states, and its second keeper in the database."""

import re
from enum import StrEnum
from itertools import product

import asyncpg
import pytest

from payloom.audit.queries import STEP_OFF_THE_TABLE
from payloom.connectors.contract import Outcome, Unknown
from payloom.core.db import Tx
from payloom.payments import hot
from payloom.payments.hot import Placed
from payloom.payments.states import (
    EVENT_OF,
    LATE,
    OLD_NEWS,
    STATUS_OF,
    TRANSITIONS,
    VIA,
    State,
    Status,
    after,
)
from payloom.runtime import Runtime
from payloom.webhooks.event_types import EVENT_TYPES
from tests.payments.given import CONNECTION, MERCHANT, NOW, payment

OUTCOMES: tuple[type, ...] = Outcome.__args__
ARROWS = {(state, to) for (state, _), to in TRANSITIONS.items()}


async def test_the_database_keeps_the_same_arrows(rt: Runtime) -> None:
    async with rt.db.statement() as tx:
        rows = await tx.fetch("SELECT from_state, to_state FROM attempt_transitions")

    assert {(row["from_state"], row["to_state"]) for row in rows} == ARROWS


@pytest.mark.parametrize(
    ("table", "column", "enum"),
    [("attempts", "state", State), ("payment_orders", "payment_order_status", Status)],
)
async def test_the_database_knows_the_same_states(
    rt: Runtime, table: str, column: str, enum: type[StrEnum]
) -> None:
    async with rt.db.statement() as tx:
        rows = await tx.fetch(
            """SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint
                WHERE conrelid = $1::text::regclass AND contype = 'c'""",
            table,
        )

    lists = [row["text"] for row in rows if row["text"].startswith(f"CHECK (({column} = ANY")]
    assert [set(re.findall(r"'([A-Z]+)'", text)) for text in lists] == [set(enum)]


async def test_the_database_takes_every_arrow_and_no_other_move(owner: Runtime) -> None:
    async with owner.db.statement() as tx:
        await tx.execute(
            "INSERT INTO merchants VALUES ($1, 'Corner Shop', 'test', $2)", MERCHANT, NOW
        )
        await tx.execute(
            """INSERT INTO connections (merchant_id, id, psp, created_at)
               VALUES ($1, $2, 'acme', $3)""",
            MERCHANT, CONNECTION, NOW,
        )  # fmt: skip
        assert await hot.place(tx, payment(), None, NOW) is Placed.NEW
        moves = product(State, State)
        taken = {move for move in moves if move[0] != move[1] and await _takes(tx, *move)}

    assert taken == ARROWS


async def _takes(tx: Tx, state: State, to: State) -> bool:
    await tx.execute("ALTER TABLE attempts DISABLE TRIGGER USER")
    await tx.execute("UPDATE attempts SET state = $1, token = 't', redirect_url = 'u'", state)
    await tx.execute("ALTER TABLE attempts ENABLE TRIGGER USER")
    try:
        await tx.execute("UPDATE attempts SET state = $1", to)
    except asyncpg.CheckViolationError:
        return False
    return True


def test_every_state_is_shown_and_told() -> None:
    assert set(STATUS_OF) == set(State)
    assert set(STATUS_OF.values()) == set(Status)
    assert set(EVENT_OF) == set(Status) - {Status.CREATED}
    assert set(EVENT_OF.values()) <= set(EVENT_TYPES)


def test_success_has_no_exit() -> None:
    assert [arrow for arrow in ARROWS if arrow[0] is State.SUCCEEDED] == []


def test_money_may_come_from_wherever_there_is_no_other_way_on() -> None:
    ends = {to for _, to in ARROWS} - {state for state, to in ARROWS if to is not State.SUCCEEDED}

    assert ends == {State.SUCCEEDED, State.FAILED, State.EXPIRED, State.CANCELED, State.REFUSED}
    assert all((end, State.SUCCEEDED) in ARROWS for end in ends - {State.SUCCEEDED})
    assert ends > LATE


def test_every_state_can_be_reached() -> None:
    reached = {State.REGISTERING}
    while more := {to for state, to in ARROWS if state in reached} - reached:
        reached |= more

    assert reached == set(State)


def test_no_outcome_is_both_news_and_known() -> None:
    assert set(OLD_NEWS) == set(State)
    both = [
        (state, outcome.__name__)
        for state, outcome in product(State, OUTCOMES)
        if (state, outcome) in TRANSITIONS and outcome in OLD_NEWS[state]
    ]
    assert both == []


def test_an_unknown_outcome_is_in_no_table() -> None:
    assert not any(outcome is Unknown for _, outcome in TRANSITIONS)
    assert not any(Unknown in known for known in OLD_NEWS.values())


def test_a_double_step_goes_along_two_arrows() -> None:
    for (state, outcome), first in VIA.items():
        between = after(state, first)
        assert between is not None
        assert (between, outcome) in TRANSITIONS
        assert (state, outcome) not in TRANSITIONS


def test_the_audit_can_put_the_steps_of_one_version_in_order() -> None:
    """It sorts by where a step begins, so of two steps the first must begin earlier."""
    listed = re.search(r"ARRAY\[(.*?)\]", STEP_OFF_THE_TABLE)
    assert listed is not None
    places = {name: i for i, name in enumerate(re.findall(r"'(\w+)'", listed[1]))}

    for first, between in ARROWS:
        if between in {state for state, _ in ARROWS}:
            assert places[first] < places.get(between, 9), f"{first} → {between} → …"
