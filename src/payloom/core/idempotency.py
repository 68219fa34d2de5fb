"""The first answer to a request, kept by the caller's key for 30 days.

Same key and same request: the first answer's status and bytes. Same key, other request: refused.
Still running: the later one waits for the owner; an owner that died is taken over when its lease
runs out. Only final answers are kept: 2xx but 202, and refusals decided after our commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from payloom.core import ids
from payloom.core.db import Database, Tx
from payloom.core.errors import Conflict, InvalidRequest, PayloomError
from payloom.core.points import point

LEASE_S = 12  # a request answers within 10 s; who takes over too early does no harm
WAIT_S = 10.0
_POLL_S = (0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to be: exact bytes, so that a repetition gets the same ones."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    is_final: bool = True


class KeyReused(InvalidRequest):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class StillRunning(Conflict):
    code = "idempotency_key_in_use"
    title = "The first request with this Idempotency-Key is still running"


_Name = tuple[UUID, str]


class KeyTaken(Exception):
    """Another request holds this key, or has its answer already."""


@dataclass(slots=True)
class Claim:
    """One run's hold on a key. Work takes it first thing, or writes it with its own first rows."""

    db: Database
    merchant_id: UUID
    key: str
    fingerprint: bytes
    now: datetime
    owner: UUID
    is_taken: bool = False
    kept: Answer | None = None  # the answer that was written together with what it tells of

    async def take(self) -> None:
        """Raises KeyTaken. Taking what is ours already is fine."""
        if self.is_taken:
            return
        async with self.db.statement() as tx:
            row = await tx.fetchrow(
                _CLAIM,
                self.merchant_id,
                self.key,
                self.fingerprint,
                self.owner,
                LEASE_S,
                self.now,
            )
        if row is None:
            raise KeyTaken
        self.is_taken = True
        point("key.taken")


Work = Callable[[Claim], Awaitable[Answer]]


class Keys:
    """One per process: repetitions that arrive here while the first still runs wait in memory."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._running: dict[_Name, tuple[bytes, asyncio.Future[Answer | None]]] = {}

    async def once(self, name: _Name, fingerprint: bytes, now: datetime, work: Work) -> Answer:
        """The answer for (merchant, key): the kept one, or that of `work` run under a claim.

        Raises KeyReused (422), StillRunning (409), and what `work` raises.
        """
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while (running := self._running.get(name)) is not None:
            if running[0] != fingerprint:
                raise KeyReused
            answer = await _wait(running[1], deadline)
            if answer is not None:
                return answer
        ended: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._running[name] = (fingerprint, ended)
        answer = None
        try:
            answer = await self._run(name, fingerprint, now, work, deadline)
        finally:
            del self._running[name]
            is_kept = answer is not None and answer.is_final
            ended.set_result(answer if is_kept else None)
        return answer

    async def _run(
        self, name: _Name, fingerprint: bytes, now: datetime, work: Work, deadline: float
    ) -> Answer:
        """Work as soon as the key is free; until then look for the answer of who holds it."""
        for pause in _pauses():
            claim = Claim(self._db, *name, fingerprint, now, ids.new())
            with suppress(KeyTaken):
                return await self._under_unless_kept(claim, work)
            if kept := await self._kept(claim):
                return kept
            with suppress(KeyTaken):
                await claim.take()  # its owner may be dead
                return await _under(claim, work)
            if asyncio.get_running_loop().time() + pause > deadline:
                break
            await asyncio.sleep(pause)
        raise StillRunning(retry_after_s=1)

    async def _under_unless_kept(self, claim: Claim, work: Work) -> Answer:
        """A request that was answered once is not refused later for what has changed since."""
        try:
            return await _under(claim, work)
        except PayloomError:
            kept = None if claim.is_taken else await self._kept(claim)
            if kept is None:
                raise
            return kept

    async def _kept(self, claim: Claim) -> Answer | None:
        async with self._db.statement() as tx:
            held = await tx.fetchrow(_READ, claim.merchant_id, claim.key)
        if held is not None and held["fingerprint"] != claim.fingerprint:
            raise KeyReused
        if held is None or held["status"] is None:
            return None
        return Answer(held["status"], held["body"])


async def _under(claim: Claim, work: Work) -> Answer:
    """Run the work and keep its answer, or free the key when there is none to keep."""
    try:
        answer = await work(claim)
    except BaseException:
        await _release(claim)
        raise
    if claim.kept is not None:
        return claim.kept
    if not answer.is_final:
        await _release(claim)
        return answer
    async with claim.db.statement() as tx:
        name = (claim.merchant_id, claim.key)
        if await tx.fetchrow(_KEEP, *name, claim.owner, answer.status, answer.body) is None:
            taken = await tx.fetchrow(_READ, *name)  # our lease ran out, someone took over
            if taken is not None and taken["status"] is not None:
                return Answer(taken["status"], taken["body"])
    point("key.kept")
    return answer


async def _release(claim: Claim) -> None:
    if claim.is_taken and claim.kept is None:
        async with claim.db.statement() as tx:
            await tx.execute(_RELEASE, claim.merchant_id, claim.key, claim.owner)
        point("key.released")


async def reap(tx: Tx, before: datetime, *, limit: int) -> int:
    """Forget answers given before then; how many."""
    return len(await tx.fetch(_REAP, before, limit))


async def _wait(ended: "asyncio.Future[Answer | None]", deadline: float) -> Answer | None:
    left = max(0.0, deadline - asyncio.get_running_loop().time())
    done, _ = await asyncio.wait([ended], timeout=left)
    if not done:
        raise StillRunning(retry_after_s=1)
    return ended.result()


def _pauses() -> Iterator[float]:
    yield from _POLL_S
    while True:
        yield _POLL_S[-1]


_CLAIM = """
INSERT INTO idempotency_keys AS k (merchant_id, key, fingerprint, owner, lease_until, created_at)
VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 second', $6)
    ON CONFLICT (merchant_id, key) DO UPDATE
   SET owner = excluded.owner, lease_until = excluded.lease_until
 WHERE k.status IS NULL AND k.fingerprint = excluded.fingerprint
   AND k.lease_until < clock_timestamp()
RETURNING key
"""

_READ = "SELECT fingerprint, status, body FROM idempotency_keys WHERE merchant_id = $1 AND key = $2"

_KEEP = """
UPDATE idempotency_keys SET status = $4, body = $5
 WHERE merchant_id = $1 AND key = $2 AND owner = $3 AND status IS NULL
RETURNING key
"""

_RELEASE = """
DELETE FROM idempotency_keys
 WHERE merchant_id = $1 AND key = $2 AND owner = $3 AND status IS NULL
"""

_REAP = """
DELETE FROM idempotency_keys
 WHERE (merchant_id, key) IN (SELECT merchant_id, key FROM idempotency_keys
                               WHERE created_at < $1 ORDER BY created_at LIMIT $2)
RETURNING key
"""
