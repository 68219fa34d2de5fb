"""The text of API keys: `sk_test_` or `sk_live_`, 32 random characters, 6 of checksum (S4).

The checksum lets us and secret scanners tell a key from other text without a database; publish
PATTERN to them. We keep only a key's digest: 190 random bits cannot be guessed back from it.
"""

import hashlib
import re
import secrets
import string
import zlib

from payloom.merchants.model import Mode

PATTERN = r"sk_(?:test|live)_[0-9A-Za-z]{38}"

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARACTERS = 32
_CHECKSUM_CHARACTERS = 6
_shape = re.compile(PATTERN)


def new_key(mode: Mode) -> str:
    """A fresh key of that mode."""
    unchecked = f"sk_{mode}_{random_text(_RANDOM_CHARACTERS)}"
    return unchecked + _checksum(unchecked)


def looks_right(text: str) -> bool:
    """Whether it has the form of a key and its checksum fits: catches copies with a slip."""
    if _shape.fullmatch(text) is None:
        return False
    return text[-_CHECKSUM_CHARACTERS:] == _checksum(text[:-_CHECKSUM_CHARACTERS])


def digest(text: str) -> bytes:
    """What we store and look up. A plain hash is enough for a text this random."""
    return hashlib.sha256(text.encode()).digest()


def hint(text: str) -> str:
    """What people may see to tell their keys apart: `sk_test_…Xy3z`."""
    return f"{text[:8]}…{text[-4:]}"


def random_text(length: int) -> str:
    """Letters and digits from the system's secure source, 5.95 bits each."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    rest = zlib.crc32(text.encode())
    characters = ""
    for _ in range(_CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(_ALPHABET))
        characters = _ALPHABET[digit] + characters
    return characters
