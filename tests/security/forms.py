"""In which forms a secret may lie about: as it is, in groups, escaped, encoded, in other widths."""

import base64
import itertools
import mmap
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Canary:
    """What must be found nowhere, and every form of it that is looked for."""

    name: str
    forms: Mapping[str, "bytes | re.Pattern[bytes]"]

    def found_in(self, data: "bytes | mmap.mmap") -> list[str]:
        """The names of the forms in which it is in there."""
        return [
            name
            for name, form in self.forms.items()
            if (form.search(data) if isinstance(form, re.Pattern) else data.find(form) >= 0)
        ]


def text(name: str, secret: str) -> Canary:
    return _canary(name, _of_text(secret))


def card(name: str, number: str) -> Canary:
    """A card number, also in the groups that people write it in."""
    ends = (4, 10) if len(number) == 15 else range(4, len(number), 4)
    groups = [number[a:b] for a, b in itertools.pairwise((0, *ends, len(number)))]
    forms = list(_of_text(number))
    for gap in (" ", "-", ".", "\u00a0"):
        forms += _of_text(gap.join(groups), f"by {gap!r}, ")
    forms += [(f"by {gap}", gap.join(groups).encode()) for gap in ("%20", "+", "/", "_")]
    return _canary(name, forms)


def raw(name: str, secret: bytes) -> Canary:
    """Bytes that are no text, such as a key."""
    return _canary(name, _of_bytes(secret))


def code(name: str, digits: str) -> Canary:
    """A card's check code: three or four digits are one only behind such a name."""
    between = "(?:[^0-9A-Za-z%]|%[0-9A-F]{2}){0,8}"
    named = rf"(?i)(?:cvc|cvv|csc|security.?code)2?{between}{digits}"
    wide = b"\x00?".join(bytes([byte]) for byte in digits.encode())
    in_hex = rf"(?i)63(?:76|73)(?:63|76)(?:[2-46-7][0-9a-f]){{0,8}}{digits.encode().hex()}"
    return Canary(
        name,
        {
            "behind its name": re.compile(named.encode()),
            "behind its name, wide": re.compile(rb"(?i)c\x00?[vs]\x00?[cv]\W{0,16}" + wide),
            "behind its name, in hex": re.compile(in_hex.encode()),
        },
    )


def _canary(name: str, forms: Iterable[tuple[str, bytes]]) -> Canary:
    """Each sequence of bytes once, under the first name that it has."""
    unique: dict[bytes, str] = {}
    for form, data in forms:
        unique.setdefault(data, form)
    return Canary(name, {form: data for data, form in unique.items()})


def _of_text(secret: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    yield from _of_bytes(secret.encode(), prefix)
    for width in ("utf-16-le", "utf-16-be"):
        yield f"{prefix}{width}", secret.encode(width)
        yield f"{prefix}{width} in hex", secret.encode(width).hex().encode()
    escaped = "".join(f"\\u{ord(char):04x}" for char in secret)
    yield f"{prefix}escaped", escaped.encode()
    yield f"{prefix}escaped twice", escaped.replace("\\", "\\\\").encode()  # as pg_dump does
    yield f"{prefix}escaped in hex", escaped.encode().hex().encode()
    yield f"{prefix}url-encoded whole", "".join(f"%{byte:02X}" for byte in secret.encode()).encode()
    if quote(secret, safe="") != secret:
        yield f"{prefix}url-encoded", quote(secret, safe="").encode()


def _of_bytes(secret: bytes, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    yield f"{prefix}raw", secret
    yield f"{prefix}hex", secret.hex().encode()
    yield f"{prefix}HEX", secret.hex().upper().encode()
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for offset in range(3):
            inner = _inner(encode(bytes(offset) + secret), offset, len(secret))
            yield f"{prefix}{name} at {offset}", inner
            yield f"{prefix}{name} at {offset} in hex", inner.hex().encode()


def _inner(encoded: bytes, offset: int, size: int) -> bytes:
    """Those characters that do not depend on what stands before and after: six bits each."""
    first = -(-offset * 8 // 6)
    return encoded[first : (offset + size) * 8 // 6]
