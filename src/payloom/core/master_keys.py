"""Master keys: they seal all other keys, and never come near the database.

A process may hold several, newest first. Each of them opens; which one seals is written in the
database, so that it changes for all processes at once (merchants/vault.py).
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from payloom.core.crypto import KEY_BYTES
from payloom.core.secret import Secret

REREADS = "rereads"
HELD_MAX = 3  # one in use, one that follows it, and one more if that came to light meanwhile
_BETWEEN = re.compile(r"[,\s]+")


class NotMasterKeys(ValueError):
    """A text that does not hold master keys; the message never quotes it."""


def parse(text: str) -> tuple[bytes, ...]:
    """The keys in a text: base64, with commas or line ends in between. Raises NotMasterKeys."""
    keys = tuple(map(_decoded, _BETWEEN.split(text.strip())))
    if len(set(keys)) != len(keys):
        raise NotMasterKeys("holds a key twice")
    if len(keys) > HELD_MAX:
        raise NotMasterKeys(f"holds more than {HELD_MAX} keys")
    return keys


def written(keys: Iterable[bytes], between: str) -> str:
    """What `parse` reads."""
    return between.join(base64.b64encode(key).decode() for key in keys)


def id_of(key: bytes) -> str:
    """Names a master key without telling anything of it."""
    return hashlib.sha256(b"payloom master key" + key).hexdigest()[:16]


class MasterKeys:
    """What a process holds. With `read_again`, an unknown key is looked for once more."""

    def __init__(
        self, keys: Sequence[bytes], *, read_again: Callable[[], Sequence[bytes]] | None = None
    ) -> None:
        self._read_again = read_again
        self._keys = {id_of(key): key for key in keys}

    def get(self, key_id: str) -> bytes | None:
        """The key of this id; None when it is not held here."""
        if key_id not in self._keys:
            self.refresh()
        return self._keys.get(key_id)

    def refresh(self) -> None:
        """Look whether there are newer ones. What was held stays held."""
        if self._read_again is not None:
            with suppress(OSError, NotMasterKeys):  # then we go on with what we have
                self._keys = {id_of(key): key for key in self._read_again()} | self._keys

    @property
    def ids(self) -> tuple[str, ...]:
        """The newest first."""
        return tuple(self._keys)

    @property
    def newest(self) -> str:
        return self.ids[0]

    @property
    def setting(self) -> Secret:
        """As PAYLOOM_MASTER_KEY takes them."""
        return Secret(written(self._keys.values(), ","))

    @property
    def label(self) -> str:
        """Which keys this process can open, for whoever looks at its database sessions."""
        return REREADS if self._read_again is not None else " ".join(self._keys)

    def __repr__(self) -> str:
        return f"MasterKeys({', '.join(self._keys)})"


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one; text that is not ASCII is another
        key = b""
    if len(key) != KEY_BYTES:
        raise NotMasterKeys(f"must be the base64 of exactly {KEY_BYTES} bytes")
    return key
