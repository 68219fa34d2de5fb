"""How things are put before a person: which kinds have a list of their own, tones, JSON with
links."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from payloom.sandbox.stripe.catalog.money import money

Json = dict[str, Any]

IDS_MAX = 300  # in one object, that are looked up
_ID = re.compile(r'"((?:[a-z]+_)+[A-Za-z0-9]{8,})"')
GOOD = frozenset({"succeeded", "paid", "complete", "available", "won", "active", "enabled"})
BAD = frozenset({"failed", "expired", "canceled", "lost", "unpaid", "disabled", "uncollectible"})

# the lists that are always offered; other kinds are, once there is one of them
TITLES = {
    "checkout.session": "Sessions",
    "payment_intent": "Payments",
    "refund": "Refunds",
    "dispute": "Disputes",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One object in a list."""

    id: str
    status: str
    amount: str
    note: str
    created: int | None
    page_url: str | None  # where a shopper could pay it


def title(kind: str) -> str:
    """`payment_method` → "Payment methods"."""
    if kind in TITLES:
        return TITLES[kind]
    words = kind.replace("_", " ").replace(".", " ")
    plural = words[:-1] + "ies" if words.endswith("y") else f"{words}s"
    return plural[:1].upper() + plural[1:]


def line(kind: str, shown: Json) -> Line:
    is_open = kind == "checkout.session" and shown["status"] == "open"
    return Line(
        id=shown["id"],
        status=_status(kind, shown),
        amount=_amount(shown),
        note=_note(kind, shown),
        created=shown.get("created"),
        page_url=shown.get("url") if is_open else None,
    )


def tone(status: object) -> str:
    """How a status is coloured; an HTTP status by its first digit."""
    if isinstance(status, int):
        return "good" if 200 <= status < 400 else "bad"
    word = str(status).partition(" ")[0]
    return "good" if word in GOOD else "bad" if word in BAD else "soft"


def moment(seconds: float | None) -> str:
    """`2026-11-25 13:05:57`, in UTC."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """`2 d 3 h`, `5 min`, `0 s`: the two largest units."""
    parts: list[str] = []
    left = int(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def linked(shown: Json, exists: Callable[[set[str]], set[str]], path: str) -> Markup:
    """The object as JSON; ids in it that lead somewhere are links."""
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    named = {match[1] for match in _ID.finditer(text)} - {shown.get("id")}
    there = exists(set(sorted(named)[:IDS_MAX]))
    pieces: list[Markup] = []
    end = 0
    for match in _ID.finditer(text):
        if match[1] in there:
            pieces.append(escape(text[end : match.start(1)]))
            pieces.append(Markup('<a href="{}/objects/{}">{}</a>').format(path, match[1], match[1]))
            end = match.end(1)
    return Markup("").join([*pieces, escape(text[end:])])


def _status(kind: str, shown: Json) -> str:
    status = shown.get("status") or ""
    if kind == "checkout.session" and status == "complete":
        return f"complete · {str(shown['payment_status']).replace('_', ' ')}"
    return str(status).replace("_", " ")


def _amount(shown: Json) -> str:
    amount = shown.get("amount_total", shown.get("amount", shown.get("unit_amount")))
    currency = shown.get("currency")
    if not isinstance(amount, int) or not isinstance(currency, str):
        return ""
    return money(amount, currency)


def _note(kind: str, shown: Json) -> str:
    """What tells it from others of its kind."""
    error = shown.get("last_payment_error")
    if isinstance(error, dict):
        return str(error.get("decline_code") or error.get("code") or "")
    names = ("client_reference_id", "reason", "failure_reason", "email", "name", "url", "type")
    for name in names:
        if shown.get(name) and not (kind == "checkout.session" and name == "url"):
            return str(shown[name])[:80]
    return ""
