"""Whether everything that is sealed opens here, and which master keys that takes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from payloom.core import ids
from payloom.core.crypto import SealBroken
from payloom.merchants import vault
from payloom.merchants.model import DataKey, MasterKey, Sealed
from payloom.merchants.queries import master_keys
from payloom.merchants.vault import MasterKeyWrong
from payloom.rotation import queries
from payloom.runtime import Runtime

AT_ONCE = 500
SHOWN_MAX = 20
_NOBODY = UUID(int=0)


@dataclass(slots=True)
class Checked:
    """What was found. `broken` names the first of what does not open."""

    held: tuple[str, ...]
    in_use: list[MasterKey]
    data_keys: int = 0
    secrets: int = 0
    broken_count: int = 0
    broken: list[str] = field(default_factory=list)

    def note(self, key: DataKey, what: str) -> None:
        """Something of this data key's merchant does not open."""
        self.broken_count += 1
        if len(self.broken) < SHOWN_MAX:
            self.broken.append(f"{ids.text('mer', key.merchant_id)}: {what}")

    @property
    def wanted(self) -> str:
        return self.held[0]

    @property
    def can_drop(self) -> tuple[str, ...]:
        """Held here, and needed by nothing."""
        used = {key.id for key in self.in_use}
        return tuple(key_id for key_id in self.held[1:] if key_id not in used)

    @property
    def is_rotated(self) -> bool:
        """Nothing is sealed under another master key than the newest, nor can be."""
        return not self.in_use or [key.id for key in self.in_use] == [self.wanted]

    @property
    def is_good(self) -> bool:
        return self.is_rotated and not self.broken_count


async def check(rt: Runtime, *, tell: Callable[[int], object] = lambda _: None) -> Checked:
    """Open every data key and every secret; `tell` hears of each batch's size."""
    async with rt.db.statement() as tx:
        found = Checked(rt.master_keys.ids, await master_keys(tx))
    place: tuple[UUID, int] = (_NOBODY, 0)
    while keys := await _data_keys(rt, place):
        for key in keys:
            if not _opens_key(rt, key):
                found.note(key, f"data key {key.version}")
        found.data_keys += len(keys)
        place = keys[-1].merchant_id, keys[-1].version
        tell(len(keys))
    after: queries.Place = (_NOBODY, _NOBODY, "")
    while secrets := await _secrets(rt, after):
        for each in secrets:
            if not await _opens(rt, each):
                found.note(each.data_key, f"{each.field} of {each.owner}")
        found.secrets += len(secrets)
        after = secrets[-1].data_key.merchant_id, secrets[-1].owner, secrets[-1].field
        tell(len(secrets))
    return found


async def how_much_to_check(rt: Runtime) -> int:
    """How much `check` has before it."""
    async with rt.db.statement() as tx:
        return await queries.count_sealed(tx)


async def _data_keys(rt: Runtime, after: tuple[UUID, int]) -> list[DataKey]:
    async with rt.db.statement() as tx:
        return await queries.data_keys_after(tx, after, limit=AT_ONCE)


async def _secrets(rt: Runtime, after: queries.Place) -> list[Sealed]:
    async with rt.db.statement() as tx:
        return await queries.secrets_after(tx, after, limit=AT_ONCE)


def _opens_key(rt: Runtime, key: DataKey) -> bool:
    try:
        vault.unwrap(rt, key)
    except (MasterKeyWrong, SealBroken):
        return False
    return True


async def _opens(rt: Runtime, secret: Sealed) -> bool:
    try:
        await vault.opened(rt, secret)
    except (MasterKeyWrong, SealBroken):
        return False
    return True
