"""PostgreSQL: one pool, and transactions that know they are open.

A parameter named `tx` is a connection inside such a transaction. While one is open in a task no
network call may start (I25): `forbid_in_transaction` is what the ways out to the network ask.
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import asyncpg

from payloom.core.errors import Unavailable

_open: ContextVar[bool] = ContextVar("transaction_open", default=False)

PROGRAM = "payloom"  # how every session of ours begins its name
STATEMENT_TIMEOUT_MS = 20_000
LOCK_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000
ACQUIRE_TIMEOUT_S = 15.0

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, or a primary that is one no more
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)


class DatabaseAway(Unavailable):
    """The database cannot be reached or does not answer: nothing was acknowledged (F76, F80)."""

    code = "database_unavailable"
    title = "The database does not answer; nothing was accepted"


class Tx(Protocol):
    """What SQL functions need of a connection; asyncpg's own has more and no types."""

    async def execute(self, query: str, *args: object) -> str: ...
    async def fetch(self, query: str, *args: object) -> "list[Row]": ...
    async def fetchrow(self, query: str, *args: object) -> "Row | None": ...
    async def fetchval(self, query: str, *args: object) -> Any: ...


class Row(Protocol):
    """One row: columns by name or position."""

    def __getitem__(self, key: str | int) -> Any: ...
    def keys(self) -> Sequence[str]: ...


class _Connection(asyncpg.Connection):  # type: ignore[misc] # asyncpg has no types
    """Our statements leave no session state behind, so there is nothing to reset (160 µs each)."""

    def get_reset_query(self) -> str:
        return ""


class Database:
    """The pool. Opened by `connect`, closed by `close`."""

    def __init__(self, pool: Any, wait_s_max: float = ACQUIRE_TIMEOUT_S) -> None:
        self._pool = pool
        self._wait_s_max = wait_s_max
        self._waiting: dict[object, float] = {}  # in the order they came

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        size_max: int = 10,
        wait_s_max: float = ACQUIRE_TIMEOUT_S,
        label: str = "",
    ) -> "Database":
        """Open the pool; raises DatabaseAway when the server cannot be reached.

        `label` is what others may see of this process in `pg_stat_activity`.
        """
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=size_max,
                connection_class=_Connection,
                init=_prepare,
                max_inactive_connection_lifetime=60,
                timeout=5,
                server_settings={
                    "application_name": f"{PROGRAM} {label}".strip(),
                    "timezone": "UTC",
                    "jit": "off",
                    # Every query of ours goes by a key; a plan made while a table was small
                    # must not read all of it once it has grown.
                    "enable_seqscan": "off",
                    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                    "lock_timeout": str(LOCK_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                },
            )
        except (*AWAY, OSError, TimeoutError) as away:
            raise DatabaseAway(str(away)) from away
        return cls(pool, wait_s_max)

    async def close(self) -> None:
        await self._pool.close()

    def waited_s(self) -> float:
        """How long the first in line has waited for a connection; 0 when nobody does."""
        for since in self._waiting.values():
            return time.monotonic() - since
        return 0.0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """One transaction, READ COMMITTED: committed at the end, rolled back on any exception."""
        forbid_in_transaction("a second transaction")
        async with self._connection() as connection:
            mark = _open.set(True)
            try:
                async with connection.transaction():
                    yield connection
            finally:
                _open.reset(mark)

    @asynccontextmanager
    async def rehearsal(self) -> AsyncIterator[Tx]:
        """A transaction that is rolled back at its end: to see what would come of it."""
        forbid_in_transaction("a second transaction")
        async with self._connection() as connection:
            mark = _open.set(True)
            rehearsed = connection.transaction()
            await rehearsed.start()
            try:
                yield connection
            finally:
                await rehearsed.rollback()
                _open.reset(mark)

    def statement(self) -> AbstractAsyncContextManager[Tx]:
        """A connection for single statements, each its own transaction."""
        return self._connection()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await self._acquire()
        try:
            yield connection
        except AWAY as away:
            raise DatabaseAway(str(away)) from away
        finally:
            await self._pool.release(connection)

    async def _acquire(self) -> Any:
        place = object()
        self._waiting[place] = time.monotonic()
        try:
            return await self._pool.acquire(timeout=self._wait_s_max)
        except (*AWAY, OSError, TimeoutError) as away:
            raise DatabaseAway(str(away)) from away
        finally:
            del self._waiting[place]


def forbid_in_transaction(what: str) -> None:
    """Raise RuntimeError if a transaction is open in this task: `what` would hold it open (I25)."""
    if _open.get():
        raise RuntimeError(f"{what} inside an open transaction")


async def _prepare(connection: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encode, decoder=json.loads, format="text"
        )


def _encode(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
