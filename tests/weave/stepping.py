"""A database whose every statement waits to be let go. Handed to a Runtime as its `db`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from payloom.core.db import Database, Row, Tx
from tests.weave.loom import Strand

WORDS_SHOWN = 8


class SteppingDatabase(Database):
    """`db`, step by step. BEGIN is no step: at READ COMMITTED nobody can tell when it was."""

    def __init__(self, db: Database, strand: Strand) -> None:
        self._db, self._strand = db, strand

    async def close(self) -> None:
        await self._db.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        async with self._db.transaction() as tx:
            stepping = _SteppingTx(tx, self._strand)
            try:
                yield stepping
            except BaseException:
                async with stepping.step("ROLLBACK"):
                    pass
                raise
            async with stepping.step("COMMIT"):
                pass  # it is made on the way out, before the next step of anybody

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Tx]:
        async with self._db.statement() as tx:
            yield _SteppingTx(tx, self._strand)


class _SteppingTx:
    """Asks before each statement."""

    def __init__(self, tx: Any, strand: Strand) -> None:
        self._tx, self._strand = tx, strand
        self._pid: int = tx.get_server_pid()

    def step(self, what: str) -> Any:
        return self._strand.step(what, self._pid)

    async def execute(self, query: str, *args: object) -> str:
        async with self.step(_short(query)):
            return str(await self._tx.execute(query, *args))

    async def fetch(self, query: str, *args: object) -> list[Row]:
        async with self.step(_short(query)):
            return list(await self._tx.fetch(query, *args))

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        async with self.step(_short(query)):
            row: Row | None = await self._tx.fetchrow(query, *args)
            return row

    async def fetchval(self, query: str, *args: object) -> Any:
        async with self.step(_short(query)):
            return await self._tx.fetchval(query, *args)


def _short(query: str) -> str:
    words = query.split()
    more = " …" if len(words) > WORDS_SHOWN else ""
    return " ".join(words[:WORDS_SHOWN]) + more
