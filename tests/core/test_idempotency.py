"""One answer per key: for repetitions, for those who come at the same time, after a death (F01)."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from payloom.core import ids
from payloom.core.idempotency import (
    LEASE_S,
    Answer,
    Claim,
    KeyReused,
    Keys,
    KeyTaken,
    StillRunning,
    Work,
    reap,
)
from payloom.merchants.merchants import create_merchant
from payloom.runtime import Runtime

ONE, OTHER = b"1" * 32, b"2" * 32  # fingerprints


@dataclass(slots=True)
class Counted:
    """Work that answers with the number of its run."""

    status: int = 201
    is_final: bool = True
    takes_s: float = 0.0
    runs: int = 0
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, claim: Claim) -> Answer:
        await claim.take()
        self.runs += 1
        run = self.runs
        self.started.set()
        await asyncio.sleep(self.takes_s)
        return Answer(self.status, b'{"run":%d}' % run, is_final=self.is_final)


@dataclass(slots=True)
class Caller:
    """One merchant's requests at one process."""

    rt: Runtime
    merchant: UUID
    keys: Keys

    async def once(self, work: Work, *, key: str = "k", fingerprint: bytes = ONE) -> Answer:
        return await self.keys.once((self.merchant, key), fingerprint, self.rt.clock(), work)

    def elsewhere(self) -> "Caller":
        """The same merchant at another process."""
        return Caller(self.rt, self.merchant, Keys(self.rt.db))

    async def lease_ends(self, seconds: float = 0.0) -> None:
        async with self.rt.db.statement() as tx:
            await tx.execute(
                "UPDATE idempotency_keys SET lease_until = clock_timestamp() + $1", _s(seconds)
            )

    async def dead(self, fingerprint: bytes = ONE) -> Claim:
        """The claim of a process that is gone."""
        now = self.rt.clock()
        claim = Claim(self.rt.db, self.merchant, "k", fingerprint, now, ids.new())
        await claim.take()
        return claim


@pytest.fixture
async def caller(rt: Runtime) -> Caller:
    merchant = await create_merchant(rt, "Corner Shop", "test")
    return Caller(rt, merchant.merchant_id, Keys(rt.db))


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


# --- one after the other -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 409, 422])
async def test_a_repetition_gets_the_first_answer_here_and_elsewhere(
    caller: Caller, status: int
) -> None:
    work = Counted(status)
    answers = [await each.once(work) for each in (caller, caller, caller.elsewhere())]
    assert [(each.status, each.body) for each in answers] == [(status, b'{"run":1}')] * 3
    assert work.runs == 1


async def test_another_request_under_the_key_is_refused_and_changes_nothing(
    caller: Caller,
) -> None:
    work = Counted()
    first = await caller.once(work)
    for each in (caller, caller.elsewhere()):
        with pytest.raises(KeyReused) as refused:
            await each.once(work, fingerprint=OTHER)
        assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    assert (await caller.once(work)).body == first.body
    assert work.runs == 1


async def test_a_key_is_one_merchants_own(caller: Caller) -> None:
    neighbour = await create_merchant(caller.rt, "Next Door", "test")
    work = Counted()
    await caller.once(work)
    theirs = Caller(caller.rt, neighbour.merchant_id, caller.keys)
    assert (await theirs.once(work, fingerprint=OTHER)).body == b'{"run":2}'


async def test_an_answer_that_is_not_final_is_not_kept(caller: Caller) -> None:
    work = Counted(202, is_final=False)
    assert (await caller.once(work)).body == b'{"run":1}'
    assert (await caller.elsewhere().once(work)).body == b'{"run":2}'
    work.status, work.is_final = 200, True
    assert (await caller.once(work)).body == b'{"run":3}'
    assert (await caller.once(work)).body == b'{"run":3}'


async def test_work_that_raises_leaves_the_key_free(caller: Caller) -> None:
    async def broken(claim: Claim) -> Answer:
        await claim.take()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await caller.once(broken)
    # Free for any request: nothing was answered under it.
    assert (await caller.elsewhere().once(Counted(), fingerprint=OTHER)).status == 201


async def test_answers_are_forgotten_by_their_age_some_at_a_time(caller: Caller) -> None:
    for key in "abc":
        await caller.once(Counted(), key=key)
    now = caller.rt.clock()
    async with caller.rt.db.statement() as tx:
        assert await reap(tx, now - timedelta(days=1), limit=10) == 0
        assert [await reap(tx, now + timedelta(days=1), limit=2) for _ in range(3)] == [2, 1, 0]
    assert (await caller.once(Counted(), key="a", fingerprint=OTHER)).status == 201


# --- at the same time --------------------------------------------------------------------------


async def test_a_thousand_at_once_get_one_answer_in_two_processes(caller: Caller) -> None:
    work, there = Counted(takes_s=0.2), caller.elsewhere()
    answers = await asyncio.gather(
        *((caller, there)[number % 2].once(work) for number in range(1_000))
    )
    assert {(each.status, each.body) for each in answers} == {(201, b'{"run":1}')}
    assert work.runs == 1


async def test_while_the_first_runs_another_request_is_refused_at_once(caller: Caller) -> None:
    work = Counted(takes_s=1)
    async with asyncio.TaskGroup() as running:
        running.create_task(caller.once(work))
        await work.started.wait()
        async with asyncio.timeout(0.9):
            for each in (caller, caller.elsewhere()):
                with pytest.raises(KeyReused):
                    await each.once(work, fingerprint=OTHER)
    assert work.runs == 1


async def test_of_answers_that_are_not_final_each_who_waited_gets_its_own(caller: Caller) -> None:
    work, there = Counted(202, is_final=False, takes_s=0.02), caller.elsewhere()
    callers = (caller, there, caller, there, caller)
    answers = await asyncio.gather(*(each.once(work) for each in callers))
    assert sorted(each.body for each in answers) == [b'{"run":%d}' % n for n in range(1, 6)]


async def test_who_waited_goes_on_when_the_first_is_cancelled(caller: Caller) -> None:
    stuck, work = Counted(takes_s=60), Counted()
    first = asyncio.create_task(caller.once(stuck))
    await stuck.started.wait()
    waiting = [asyncio.create_task(each.once(work)) for each in (caller, caller.elsewhere())]
    await asyncio.sleep(0.05)
    first.cancel()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*waiting)
    assert [each.body for each in answers] == [b'{"run":1}'] * 2
    assert first.cancelled()


async def test_who_waits_too_long_is_told_to_come_again(caller: Caller) -> None:
    stuck = Counted(takes_s=60)
    first = asyncio.create_task(caller.once(stuck))
    await stuck.started.wait()
    refused = await asyncio.gather(
        caller.once(Counted()), caller.elsewhere().once(Counted()), return_exceptions=True
    )
    for each in refused:
        assert isinstance(each, StillRunning)
        assert (each.status, each.code, each.retry_after_s) == (409, "idempotency_key_in_use", 1)
    first.cancel()
    await asyncio.wait([first])


# --- who dies ----------------------------------------------------------------------------------


async def test_a_dead_owner_is_taken_over_when_its_lease_ends_and_not_before(
    caller: Caller,
) -> None:
    await caller.dead()
    async with caller.rt.db.statement() as tx:
        left = await tx.fetchval("SELECT lease_until - clock_timestamp() FROM idempotency_keys")
    assert _s(LEASE_S - 5) < left <= _s(LEASE_S)

    await caller.lease_ends(0.4)
    started = asyncio.get_running_loop().time()
    answer = await caller.once(Counted())
    assert asyncio.get_running_loop().time() - started > 0.3
    assert answer.body == b'{"run":1}'


async def test_the_business_clock_ends_no_lease(caller: Caller) -> None:
    owner = await caller.dead()
    caller.rt.clock.offset = timedelta(days=2)
    later = Claim(caller.rt.db, caller.merchant, "k", ONE, caller.rt.clock(), ids.new())
    with pytest.raises(KeyTaken):
        await later.take()
    assert owner.is_taken
    assert not later.is_taken


async def test_only_the_same_request_takes_over_from_the_dead(caller: Caller) -> None:
    await caller.dead()
    await caller.lease_ends()
    with pytest.raises(KeyReused):
        await caller.once(Counted(), fingerprint=OTHER)
    assert (await caller.once(Counted())).status == 201


async def test_who_lost_the_key_gives_the_answer_of_who_took_it(caller: Caller) -> None:
    slow, there = Counted(takes_s=0.5), caller.elsewhere()
    first = asyncio.create_task(caller.once(slow))
    await slow.started.wait()
    await caller.lease_ends()
    taken_over = await there.once(Counted(status=200))
    assert await first == taken_over
    assert (await caller.once(slow)) == taken_over


async def test_who_lost_the_key_does_not_free_it(caller: Caller) -> None:
    slow = Counted(202, is_final=False, takes_s=0.3)
    first = asyncio.create_task(caller.once(slow))
    await slow.started.wait()
    await caller.lease_ends()
    heir = await caller.dead()
    await first
    async with caller.rt.db.statement() as tx:
        assert await tx.fetchval("SELECT owner FROM idempotency_keys") == heir.owner
