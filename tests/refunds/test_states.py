"""The table of a refund's states, and its second keeper in the database."""

from payloom.refunds.states import TRANSITIONS, UNDECIDED, State
from payloom.runtime import Runtime

ARROWS = {(state, to) for (state, _), to in TRANSITIONS.items()}


async def test_the_database_keeps_the_same_arrows(rt: Runtime) -> None:
    async with rt.db.statement() as tx:
        rows = await tx.fetch("SELECT from_state, to_state FROM refund_transitions")

    assert {(row["from_state"], row["to_state"]) for row in rows} == ARROWS


async def test_the_database_knows_the_same_states(rt: Runtime) -> None:
    async with rt.db.statement() as tx:
        text: str = await tx.fetchval(
            """SELECT pg_get_constraintdef(oid) FROM pg_constraint
                WHERE conrelid = 'refunds'::regclass AND conname = 'refunds_state_check'"""
        )

    assert all(f"'{state}'" in text for state in State)
    assert text.count("'::text") == len(State)


def test_what_is_undecided_can_still_end() -> None:
    for state in UNDECIDED:
        assert {to for (from_, _), to in TRANSITIONS.items() if from_ is state} >= {
            State.SUCCEEDED,
            State.FAILED,
        }
