"""Who is told what becomes of a payment intent after its try: the session or invoice it pays.

What happens during a try is for the caller to see. What a bank, a counter or the merchant decides
later reaches the owner by here.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from payloom.sandbox.store import Tx

Json = dict[str, Any]


class Later(Enum):
    SUCCEEDED = auto()
    FAILED = auto()
    CANCELED = auto()


Follower = Callable[[Tx, Json, Later], None]

FOLLOWERS: dict[str, Follower] = {}  # kind of owner → its follower; filled by the owners' routes


def tell(tx: Tx, intent: Json, later: Later) -> None:
    """Tell the owner, if there is one: `_owner` of an intent is the owner's kind."""
    if kind := intent.get("_owner"):
        FOLLOWERS[kind](tx, intent, later)


def owner_of(tx: Tx, intent: Json, kind: str) -> Json | None:
    """The session or invoice that this intent pays: it has the intent for its parent."""
    row = tx.db.execute(
        "SELECT id FROM objects WHERE parent = ? AND kind = ?", (intent["id"], kind)
    ).fetchone()
    return tx.load(kind, row[0]) if row else None
