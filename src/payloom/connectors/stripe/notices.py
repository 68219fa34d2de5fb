"""Stripe's webhook events: signature over the raw bytes, then what an event means for us.

Source: https://docs.stripe.com/webhooks (scheme v1, 300 s tolerance, rolled secrets overlap). The
SDK refuses old timestamps only, and by a clock of its own; `now` bounds both sides.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, get_args

import stripe

from payloom.connectors.contract import (
    Concerns,
    ConcernsRefund,
    Decline,
    Drift,
    Failed,
    ForgedNotice,
    Ignored,
    Listed,
    Meaning,
    Notice,
    NotOurs,
    Outcome,
    Reading,
    RefundOutcome,
    StillOpen,
    Unknown,
    UnreadableNotice,
)
from payloom.connectors.stripe import mapping, refunds
from payloom.connectors.stripe.marks import REFUND, mark
from payloom.connectors.stripe.words import word
from payloom.core.secret import Secret

TOLERANCE_S = 300
_NEVER = 2**34  # in the year 2514
_TIMESTAMP = re.compile(r"(?:^|,)t=(\d{1,12})(?:,|$)")

_Object = Mapping[str, Any]
_READERS: dict[str, Callable[[_Object], Outcome]] = {
    "checkout.session.completed": mapping.outcome,
    "checkout.session.async_payment_succeeded": mapping.outcome,
    "checkout.session.async_payment_failed": lambda thing: mapping.outcome(thing, failed=True),
    "checkout.session.expired": mapping.outcome,
    "payment_intent.payment_failed": mapping.declined,
}
_REFUND_TYPES = ("refund.created", "refund.updated", "refund.failed")
EVENT_TYPES = (*_READERS, *_REFUND_TYPES)  # what moves something of ours
_KNOWN_TYPES = frozenset(get_args(stripe.Event.__annotations__["type"]))  # by this SDK


def read(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime
) -> Reading:
    """Verify with any live secret, then say which event it is. Raises ForgedNotice,
    UnreadableNotice."""
    header = headers.get("stripe-signature")
    if not any(_verifies(body, header, secret) for secret in secrets):
        raise ForgedNotice("no signature fits any live webhook secret")
    signed_at = _TIMESTAMP.search(header or "")
    if signed_at is None or abs(int(signed_at[1]) - now.timestamp()) > TOLERANCE_S:
        raise ForgedNotice("signed too long ago, or in the future")
    event = _event(body)
    return Reading((Notice(event["id"], event["type"], _attempt(event)),))


def meaning(body: bytes, *, livemode: bool) -> Meaning:
    """What a stored event says. Raises UnreadableNotice.

    One that was rendered for another API version than ours is read all the same, if it has the
    shape that we know.
    """
    event = _event(body)
    drift, attempt = _drift(event), _attempt(event)
    if event.get("account") is not None:  # a connected account's: its payments are none of ours
        return _of_another_account(event, attempt, drift)
    if event.get("livemode") is not livemode:
        raise UnreadableNotice("the event is of the other mode (test or live)", drift=drift)
    if event["type"] not in EVENT_TYPES:
        return Ignored(f"{event['type']} moves nothing of ours", drift)
    thing = _object(event)
    if thing is None:
        raise UnreadableNotice("the event has no data.object", drift=drift)
    if event["type"] in _REFUND_TYPES:
        return _of_refund(thing, attempt, drift)
    if attempt is None:
        return NotOurs(drift=drift)
    outcome = _understood(_READERS[event["type"]](thing), drift, attempt)
    return Concerns(attempt, _dated(outcome, event), drift)


def listing(since: datetime, until: datetime, after: str | None) -> dict[str, str]:
    """Parameters of `GET /v1/events` for what moves something of ours; newest first."""
    types = {f"types[{i}]": name for i, name in enumerate(sorted(EVENT_TYPES))}
    window = {
        "created[gte]": str(int(since.timestamp())),
        "created[lte]": str(int(until.timestamp()) + 1),
        "limit": "100",
    }
    return {**types, **window, **({"starting_after": after} if after else {})}


def listed(body: object) -> Listed | None:
    """A page of the event list; None when the answer is none."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(data, list):
        return None
    if not all(_is_event(each) for each in data):
        return None
    found = tuple(
        (Notice(each["id"], each["type"], _attempt(each)), partial(_raw, each)) for each in data
    )
    more = body.get("has_more") is True and found
    return Listed(found, found[-1][0].psp_event if more else None)


def _raw(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def _of_refund(thing: _Object, attempt: str | None, drift: Drift) -> Meaning:
    """Ours by our ids, or by the payment that it is of; a refund of a charge that has no payment
    intent is of none that we made."""
    outcome = _understood(refunds.outcome(thing), drift)
    payment, reason = refunds.psp_payment(thing), refunds.reason(thing)
    refund = mark(thing, REFUND)
    if attempt is not None and refund is not None:
        return ConcernsRefund(attempt, refund, outcome, drift, payment, reason)
    if payment is None:
        return NotOurs(drift=drift)
    return ConcernsRefund(None, None, outcome, drift, payment, reason)


def _of_another_account(event: Mapping[str, Any], attempt: str | None, drift: Drift) -> NotOurs:
    account = word(event["account"]) or "unknown"
    if attempt is not None:  # our own id, in somebody else's mouth
        why = f"names {word(attempt)}, but is of the account {account}"
        raise UnreadableNotice(why, drift=drift)
    return NotOurs(f"is of the account {account}", drift)


def _drift(event: Mapping[str, Any]) -> Drift:
    version = event.get("api_version")
    if version != mapping.VERSION:
        return f"rendered for API version {word(version)}, not {mapping.VERSION}"
    return None if event["type"] in _KNOWN_TYPES else "of a type that is new"


_O = TypeVar("_O", Outcome, RefundOutcome)


def _understood(outcome: _O, drift: Drift, attempt: str | None = None) -> _O:
    """In our version, what we do not understand is a doubt that the PSP resolves. In another, a
    person must see besides that the version is not the one we know."""
    if isinstance(outcome, Unknown) and drift is not None:
        raise UnreadableNotice(f"{drift}: {outcome.why}", attempt=attempt, drift=drift)
    return outcome


def _dated(outcome: Outcome, event: Mapping[str, Any]) -> Outcome:
    """With the time of its decline: which one is the last must not depend on which came last."""
    created = event.get("created")
    if type(created) is not int or not 0 < created < _NEVER:
        return outcome
    at = datetime.fromtimestamp(created, UTC)
    match outcome:
        case StillOpen(Decline() as decline):
            return StillOpen(replace(decline, at=at))
        case Failed(decline):
            return replace(outcome, decline=replace(decline, at=at))
    return outcome


def _attempt(event: Mapping[str, Any]) -> str | None:
    thing = _object(event) if event["type"] in EVENT_TYPES else None
    return mapping.attempt_of(thing) if thing is not None else None


def _object(event: Mapping[str, Any]) -> _Object | None:
    data = event.get("data")
    thing = data.get("object") if isinstance(data, Mapping) else None
    return thing if isinstance(thing, Mapping) else None


def _verifies(body: bytes, header: str | None, secret: Secret) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret.reveal(), TOLERANCE_S)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError):
        return False  # TypeError: what is not ASCII is not even compared
    return True


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as broken:
        raise UnreadableNotice("the body is not JSON") from broken
    if not _is_event(event):
        raise UnreadableNotice("the body is not an event with an id and a type")
    found: Mapping[str, Any] = event
    return found


def _is_event(thing: Any) -> bool:
    is_event = isinstance(thing, Mapping) and thing.get("object") == "event"
    return is_event and bool(word(thing.get("id"), 255) and word(thing.get("type"), 255))
