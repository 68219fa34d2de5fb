"""Lists by cursor, newest first; one row more than asked for tells whether there is a rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query

from payloom.core import ids

T = TypeVar("T")
LIMIT_MAX = 100

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many, 1 to 100")]
StartingAfter = Annotated[
    str | None, Query(description="The id of the last item seen: the list goes on after it")
]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: up to `limit` items older than `after`."""

    limit: int
    after: UUID | None


def page(prefix: str, limit: int, starting_after: str | None) -> Page:
    """Read the cursor; a malformed one is a mistake in `starting_after` (422)."""
    if starting_after is None:
        return Page(limit, None)
    return Page(limit, ids.parse_query(prefix, starting_after, "starting_after"))


def envelope(
    rows: Sequence[T], asked: Page, show: Callable[[T], dict[str, Any]]
) -> dict[str, object]:
    """`{"data", "has_more", "next_cursor"}` from up to `limit + 1` rows."""
    data = [show(row) for row in rows[: asked.limit]]
    has_more = len(rows) > asked.limit
    return {
        "data": data,
        "has_more": has_more,
        "next_cursor": data[-1]["id"] if has_more else None,
    }
