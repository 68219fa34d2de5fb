"""The loom itself: it tries every order, once, and what goes wrong in one of them is seen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import pytest

from payloom.core.db import Database, Tx
from tests.conftest import cluster_dsn
from tests.weave.loom import STEPS_MAX, Deadlock, Loom, Strand, Trail, Unrepeatable, following
from tests.weave.stepping import SteppingDatabase


@dataclass
class Toy:
    """Two numbers in a table, and a stepping database for each of two flows."""

    loom: Loom
    one: Database
    other: Database

    async def each(
        self, flow: Callable[[Database], Awaitable[None]], *, switches: int = STEPS_MAX
    ) -> list[tuple[Trail, list[int]]]:
        """Every schedule of `flow` against itself, with what the numbers are after it."""
        played = []
        wanted: Trail | None = []
        while wanted is not None:
            await self.loom.observer.execute("UPDATE number SET value = 0")
            trail = await self.loom.play((lambda: flow(self.one), lambda: flow(self.other)), wanted)
            rows = await self.loom.observer.fetch("SELECT value FROM number ORDER BY id")
            played.append((trail, [row["value"] for row in rows]))
            wanted = following(trail, switches)
        return played


@pytest.fixture
async def toy(database: str) -> AsyncIterator[Toy]:
    dsn = cluster_dsn("owner", database)
    observer = await asyncpg.connect(dsn)
    await observer.execute(
        "CREATE TABLE number (id int PRIMARY KEY, value int NOT NULL);"
        "INSERT INTO number VALUES (1, 0), (2, 0)"
    )
    dbs = [await Database.connect(dsn, size_max=2) for _ in range(2)]
    strands = (Strand("one"), Strand("other"))
    one, other = (SteppingDatabase(db, strand) for db, strand in zip(dbs, strands, strict=True))
    yield Toy(Loom(observer, strands), one, other)
    for db in dbs:
        await db.close()
    await observer.close()


async def value(tx: Tx, more: str = "") -> int:
    found: int = await tx.fetchval(f"SELECT value FROM number WHERE id = 1 {more}")
    return found


async def write(tx: Tx, new: int) -> None:
    await tx.execute("UPDATE number SET value = $1 WHERE id = 1", new)


def order_of(trail: Trail) -> str:
    return "".join(choice.strand[1] for choice in trail)  # oNe, oTher


async def test_every_order_of_two_times_three_statements_is_played_once(toy: Toy) -> None:
    async def three(db: Database) -> None:
        for _ in range(3):
            async with db.statement() as tx:
                await tx.execute("SELECT 1")

    orders = [order_of(trail) for trail, _ in await toy.each(three)]

    assert len(orders) == len(set(orders)) == 20  # of six places, three are the one's
    assert all(sorted(order) == list("nnnttt") for order in orders)


async def test_a_lost_update_is_found_in_all_orders_but_one_after_the_other(toy: Toy) -> None:
    async def count(db: Database) -> None:
        async with db.statement() as tx:
            await write(tx, await value(tx) + 1)

    played = await toy.each(count)

    right = {order_of(trail) for trail, values in played if values[0] == 2}
    assert (len(played), right) == (6, {"nntt", "ttnn"})


async def test_a_lock_makes_the_other_wait_and_every_order_right(toy: Toy) -> None:
    async def count(db: Database) -> None:
        async with db.transaction() as tx:
            await write(tx, await value(tx, "FOR UPDATE") + 1)

    played = await toy.each(count)

    assert {values[0] for _, values in played} == {2}
    waited = [trail for trail, _ in played if any(choice.forced for choice in trail)]
    # The other asks for the lock after the one's first, second or third step; or the reverse.
    assert len(waited) == 4
    assert len(played) == 6


async def test_what_a_transaction_wrote_is_not_seen_before_its_commit(toy: Toy) -> None:
    seen: list[tuple[int, int]] = []

    async def write_or_look(db: Database) -> None:
        if db is toy.one:
            async with db.transaction() as tx:
                await write(tx, 7)
        else:
            async with db.statement() as tx:
                seen.append((await value(tx), 0))

    orders = [order_of(trail) for trail, _ in await toy.each(write_or_look)]

    assert dict(zip(orders, [each[0] for each in seen], strict=True)) == {
        "nnt": 7,
        "ntn": 0,
        "tnn": 0,
    }


async def test_locks_in_opposite_orders_are_a_deadlock_that_is_told(toy: Toy) -> None:
    async def lock_both(db: Database) -> None:
        ids = (1, 2) if db is toy.one else (2, 1)
        async with db.transaction() as tx:
            for each in ids:
                await tx.execute("SELECT FROM number WHERE id = $1 FOR UPDATE", each)

    with pytest.raises(Deadlock) as told:
        await toy.each(lock_both)
    assert "one  SELECT FROM number WHERE id = $1 FOR" in told.value.__notes__[0]
    assert "other  SELECT FROM number WHERE id = $1 FOR" in told.value.__notes__[0]


async def test_what_breaks_a_flow_is_told_with_the_order_that_led_there(toy: Toy) -> None:
    async def impatient(db: Database) -> None:
        async with db.statement() as tx:
            if await value(tx):
                raise ValueError("somebody was here")
            await write(tx, 1)

    with pytest.raises(ValueError, match="somebody was here") as told:
        await toy.each(impatient)
    assert told.value.__notes__[0].splitlines()[-1].startswith("   other  SELECT value FROM number")


async def test_without_switches_one_flow_goes_after_the_other(toy: Toy) -> None:
    async def two(db: Database) -> None:
        async with db.statement() as tx:
            await value(tx)
            await value(tx)

    assert [order_of(trail) for trail, _ in await toy.each(two, switches=0)] == ["nntt", "ttnn"]
    with_one = {order_of(trail) for trail, _ in await toy.each(two, switches=1)}
    assert with_one == {"nntt", "nttn", "ttnn", "tnnt"}


async def test_flows_that_do_not_repeat_themselves_are_not_believed(toy: Toy) -> None:
    plays = 0

    async def fickle(db: Database) -> None:
        nonlocal plays
        plays += 1
        for _ in range(3 if plays <= 2 else 1):
            async with db.statement() as tx:
                await value(tx)

    with pytest.raises(Unrepeatable):
        await toy.each(fickle)


async def test_a_transaction_that_is_rolled_back_left_nothing_in_any_order(toy: Toy) -> None:
    async def regret(db: Database) -> None:
        try:
            async with db.transaction() as tx:
                await write(tx, 1)
                raise LookupError
        except LookupError:
            pass

    played = await toy.each(regret)

    assert {values[0] for _, values in played} == {0}
    assert any(choice.what == "ROLLBACK" for trail, _ in played for choice in trail)
