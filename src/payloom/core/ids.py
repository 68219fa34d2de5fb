"""Ids: a UUIDv7 in the database, a TypeID (`po_01h…`) everywhere a person or program sees one.

TypeID spec 0.3: prefix, underscore, 26 characters of Crockford base32.
"""

from datetime import datetime
from uuid import UUID

from typeid import TypeID
from typeid.codecs import base32
from typeid.core.errors import TypeIDException
from uuid_utils.compat import uuid7

from payloom.core.errors import NotFound, invalid

NAMESPACE = UUID("6f0e7d0a-52c1-5d3e-9a2e-7c61bfb0a001")  # ours, for ids derived from names


def new() -> UUID:
    """A fresh time-ordered id."""
    return uuid7()


def first_at(at: datetime) -> UUID:
    """Lower than every id made from this moment on: ids begin with their time."""
    return UUID(int=(int(at.timestamp() * 1000) << 80))


def text(prefix: str, value: UUID) -> str:
    """The public form: `text("po", …)` is `po_01h45ytscbebyvny4gc8cr8ma2`."""
    return f"{prefix}_{base32.encode(value.bytes)}"


def parse(prefix: str, value: str) -> UUID:
    """The id inside a public form; a malformed one is NotFound: no such thing can exist."""
    found = _read(prefix, value)
    if found is None:
        raise NotFound(f"There is no {prefix}_… with this id")
    return found


def parse_query(prefix: str, value: str, field: str) -> UUID:
    """The same for a query value, where a malformed id is a mistake in that field (422)."""
    found = _read(prefix, value)
    if found is None:
        raise invalid(field, f"must be an id like {prefix}_01h45ytscbebyvny4gc8cr8ma2")
    return found


def maybe(prefix: str, value: object) -> UUID | None:
    """The id if `value` is a public form of one, else None: for what strangers send us."""
    return _read(prefix, value) if isinstance(value, str) else None


def _read(prefix: str, value: str) -> UUID | None:
    if len(value) != len(prefix) + 27 or not value.startswith(prefix + "_"):
        return None
    try:
        return UUID(bytes=TypeID.from_string(value).uuid_bytes)
    except TypeIDException:
        return None
