"""Which database to use, as whom, and under which master key: the operator's, or our own.

Without PAYLOOM_DATABASE_URL there is an embedded PostgreSQL in PAYLOOM_HOME, and everything about
it happens by itself: it is started, migrated, and its master key is made on first use.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from payloom.core import postgres
from payloom.core.db import AWAY, DatabaseAway
from payloom.core.key_file import KeyFile
from payloom.core.master_keys import MasterKeys, NotMasterKeys, parse
from payloom.core.migrate import migrate, owning_role, status
from payloom.core.postgres import Role
from payloom.merchants.vault import check_held, has_sealed
from payloom.runtime import Runtime, running
from payloom.settings import Settings


class NotReady(Exception):
    """The database or its key is not as a process needs it; the message says what to do."""


def database_url(settings: Settings, role: Role = "app") -> str:
    """How to reach the database in this role; the embedded one is started when it does not run.

    Blocks, for a second on the very first call. Raises NotReady, LauncherError.
    """
    if settings.database_url is None:
        return postgres.dsn(settings.home, role=role)
    if role == "app":
        return settings.database_url.reveal()
    if role == "owner" and settings.migrate_database_url:
        return settings.migrate_database_url.reveal()
    if role == "owner":
        raise NotReady("PAYLOOM_MIGRATE_DATABASE_URL: set it to the database's URL as its owner")
    raise NotReady(f"Only the embedded database is known as {role}; connect to yours yourself")


def master_keys(settings: Settings) -> MasterKeys:
    """The keys that seal all others. With the embedded database one is made on first use, and a
    process that meets one it does not know reads the file again.

    Raises NotReady.
    """
    if settings.master_key:
        return MasterKeys(parse(settings.master_key.reveal()))
    file = key_file(settings)
    try:
        return MasterKeys(file.read_or_make(), read_again=file.read)
    except NotMasterKeys:
        raise NotReady(
            f"{file.path} is damaged: restore it from a backup, all secrets hang on it"
        ) from None


def key_file(settings: Settings) -> KeyFile:
    """Where the embedded database's master keys are."""
    return KeyFile(settings.home / "master.key")


async def ensure_key(settings: Settings, url: str) -> MasterKeys:
    """The master keys, once they are known to open what is sealed in this database (F88). One that
    is lost is never replaced: without it the secrets cannot be read.

    Raises NotReady, MasterKeyWrong, DatabaseAway.
    """
    with reaching():
        connection = await asyncpg.connect(url, timeout=10)
        try:
            path = key_file(settings).path
            if settings.master_key is None and not path.exists() and await has_sealed(connection):
                raise NotReady(
                    f"{path} is gone, and the secrets in this database are sealed under it:"
                    " restore it from a backup"
                )
            keys = master_keys(settings)
            await check_held(connection, keys)
        finally:
            await connection.close()
    return keys


async def ensure_migrated(settings: Settings, url: str) -> None:
    """Migrate the embedded database; of an operator's own only look whether it is up to date.

    Raises NotReady, MigrationError, DatabaseAway.
    """
    with reaching():
        if settings.database_url is None:
            await migrate(postgres.dsn(settings.home, role="owner"))
            return
        missing = [each.name for each, is_applied in await status(url) if not is_applied]
    if missing:
        raise NotReady(
            f"The database lacks {len(missing)} of our migrations ({', '.join(missing)}):"
            " run `payloom db migrate` first"
        )


async def ensure_owns_nothing(url: str) -> None:
    """Look whether we serve as a role that cannot rewrite the books (S2).

    Raises NotReady, DatabaseAway.
    """
    with reaching():
        role = await owning_role(url)
    if role is not None:
        raise NotReady(
            f"PAYLOOM_DATABASE_URL is of the role {role}, which may change every table, the books"
            " included: serve as payloom_app. The owner is for `payloom db migrate` only, in"
            " PAYLOOM_MIGRATE_DATABASE_URL"
        )


@contextmanager
def reaching() -> Iterator[None]:
    """Around connections of our own, beside the pool: what keeps them from coming about is
    DatabaseAway here, too."""
    try:
        yield
    except (*AWAY, OSError, TimeoutError) as away:
        raise DatabaseAway(str(away) or type(away).__name__) from away


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Runtime]:
    """A runtime on a database that is known to be up to date, for work that is soon done."""
    url = database_url(settings)
    await ensure_migrated(settings, url)
    async with running(settings, url, await ensure_key(settings, url)) as rt:
        yield rt
