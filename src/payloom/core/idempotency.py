"""The first answer to a request, kept by the caller's key for 30 days.

Same key and same request: the first answer's status and bytes. Same key, other request: refused.
Still running: the later one waits for the owner; an owner that died is taken over when its lease
runs out. Only final answers are kept: 2xx but 202, and refusals decided after our commit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from payloom.core import ids
from payloom.core.db import Database, Tx
from payloom.core.errors import Conflict, InvalidRequest

LEASE_S = 30
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


class Keys:
    """One per process: repetitions that arrive here while the first still runs wait in memory."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._running: dict[_Name, tuple[bytes, asyncio.Future[Answer | None]]] = {}

    async def once(
        self, name: _Name, fingerprint: bytes, now: datetime, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """The answer for (merchant, key): the kept one, or `work()` run under a claim.

        Raises KeyReused (422) and StillRunning (409).
        """
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while True:
            running = self._running.get(name)
            if running is not None:
                if running[0] != fingerprint:
                    raise KeyReused
                answer = await _wait(running[1], deadline)
                if answer is not None:
                    return answer
                continue
            ended: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
            self._running[name] = (fingerprint, ended)
            answer = None
            try:
                answer = await self._claim_and_work(name, fingerprint, now, work, deadline)
            finally:
                del self._running[name]
                is_kept = answer is not None and answer.is_final
                ended.set_result(answer if is_kept else None)
            return answer

    async def _claim_and_work(
        self,
        name: _Name,
        fingerprint: bytes,
        now: datetime,
        work: Callable[[], Awaitable[Answer]],
        deadline: float,
    ) -> Answer:
        owner = ids.new()
        for pause in _pauses():
            async with self._db.statement() as tx:
                kept = await _claim(tx, name, fingerprint, owner, now)
            if kept is None:
                return await self._work(name, owner, work)
            if kept.status is not None:
                return Answer(kept.status, kept.body)
            if asyncio.get_running_loop().time() + pause > deadline:
                break
            await asyncio.sleep(pause)
        raise StillRunning(retry_after_s=1)

    async def _work(
        self, name: _Name, owner: UUID, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        try:
            answer = await work()
        except BaseException:
            await self._release(name, owner)
            raise
        if not answer.is_final:
            await self._release(name, owner)
            return answer
        async with self._db.statement() as tx:
            kept = await tx.fetchrow(_KEEP, *name, owner, answer.status, answer.body)
            if kept is None:  # our lease ran out and someone else took over
                taken = await tx.fetchrow(_READ, *name)
                if taken is not None and taken["status"] is not None:
                    return Answer(taken["status"], taken["body"])
        return answer

    async def _release(self, name: _Name, owner: UUID) -> None:
        async with self._db.statement() as tx:
            await tx.execute(_RELEASE, *name, owner)


@dataclass(frozen=True, slots=True)
class _Kept:
    status: int | None
    body: bytes


async def _claim(
    tx: Tx, name: _Name, fingerprint: bytes, owner: UUID, now: datetime
) -> _Kept | None:
    """None: the claim is ours. Otherwise what is there. Raises KeyReused."""
    if await tx.fetchrow(_CLAIM, *name, fingerprint, owner, LEASE_S, now) is not None:
        return None
    row = await tx.fetchrow(_READ, *name)
    if row is None:  # released between the two statements
        return _Kept(None, b"")
    if row["fingerprint"] != fingerprint:
        raise KeyReused
    return _Kept(row["status"], row["body"] or b"")


async def reap(tx: Tx, before: datetime, *, limit: int) -> int:
    """Forget answers given before then; how many."""
    return len(await tx.fetch(_REAP, before, limit))


async def _wait(ended: "asyncio.Future[Answer | None]", deadline: float) -> Answer | None:
    left = max(0.0, deadline - asyncio.get_running_loop().time())
    done, _ = await asyncio.wait([ended], timeout=left)
    if not done:
        raise StillRunning(retry_after_s=1)
    return ended.result()


def _pauses() -> Any:
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
