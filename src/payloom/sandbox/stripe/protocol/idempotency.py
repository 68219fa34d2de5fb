"""Idempotency keys as Stripe keeps them: bound to path and parameters, for 24 hours.

After that a key is new again; what was kept under it is deleted a few minutes later, together with
all that was kept in the same minutes.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol.errors import StripeError, invalid

LIFE_S = 24 * 3600
SWEEP_EVERY_S = 300
KEY_MAX = 255

FORGET = "stripe.forget_answers"


@dataclass(slots=True)
class Answer:
    """What goes out: status and body are the part that a replay repeats."""

    status: int
    body: bytes
    original_request: str
    replayed: bool = False
    object: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class InFlight:
    """Keys whose first request still runs. Gone with the process, as are those requests."""

    def __init__(self) -> None:
        self._running: set[tuple[int, str]] = set()

    @contextmanager
    def claim(self, tenant: int, key: str | None) -> Iterator[None]:
        if key is None:
            yield
            return
        if len(key) > KEY_MAX:
            message = f"Idempotency keys can only be up to {KEY_MAX} characters long."
            raise invalid(message)
        if (tenant, key) in self._running:
            raise _in_use(key)
        self._running.add((tenant, key))
        try:
            yield
        finally:
            self._running.discard((tenant, key))


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request under its key: equal parameters are equal in whatever order they came."""

    key: str
    path: str
    fingerprint: bytes

    @classmethod
    def of(cls, key: str, path: str, form: Mapping[str, Any]) -> "Keyed":
        canonical = json.dumps(form, sort_keys=True, separators=(",", ":"))
        return cls(key, path, hashlib.sha256(canonical.encode()).digest())


def recall(tx: Tx, request: Keyed) -> Answer | None:
    """The kept answer of this key; refused when it was given to another request."""
    row = tx.db.execute(
        "SELECT path, fingerprint, request_id, status, body, at FROM answers"
        " WHERE tenant = ? AND key = ?",
        (tx.tenant.id, request.key),
    ).fetchone()
    if row is None or tx.now - row[5] >= LIFE_S:
        return None
    if row[0] != request.path:
        raise _misused(
            "Keys for idempotent requests can only be used for the same endpoint they were first"
            f" used for ('{row[0]}' vs '{request.path}')",
            request.key,
        )
    if row[1] != request.fingerprint:
        raise _misused(
            "Keys for idempotent requests can only be used with the same parameters they were"
            " first used with",
            request.key,
        )
    return Answer(row[3], row[4], row[2], replayed=True)


def remember(tx: Tx, request: Keyed, answer: Answer) -> None:
    tx.db.execute(
        "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(tx.tenant.id, request.key, request.path, request.fingerprint),
            *(answer.original_request, answer.status, answer.body, tx.now),
        ),
    )
    due_at = math.ceil(tx.now / SWEEP_EVERY_S) * SWEEP_EVERY_S + LIFE_S
    agenda.schedule_once(tx, FORGET, f"{tx.tenant.id} {due_at}", due_at)


def forget(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: what was kept a day before that, or earlier."""
    agenda.finish(tx, timer)
    tx.db.execute(
        "DELETE FROM answers WHERE tenant = ? AND at <= ?", (tx.tenant.id, timer.due_at - LIFE_S)
    )


def _misused(reason: str, key: str) -> StripeError:
    message = f"{reason}. Try using a key other than '{key}' if you meant to execute a different"
    return StripeError(400, "idempotency_error", f"{message} request.")


def _in_use(key: str) -> StripeError:
    return StripeError(
        409,
        "invalid_request_error",
        "There is currently another in-progress request using this Idempotent Key (that probably"
        " means you submitted twice, and the other request is still going through):"
        f" {key}. Please try again later.",
        code="idempotency_key_in_use",
        headers={"Stripe-Should-Retry": "true"},
    )
