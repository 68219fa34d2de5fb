"""A notice as operators see it: what it says and what it does, but no secret, card or person."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from payloom.connectors.contract import (
    Concerns,
    ConcernsRefund,
    Ignored,
    Meaning,
    NotOurs,
    Outcome,
    RefundOutcome,
    UnreadableNotice,
)
from payloom.core import ids
from payloom.core.masking import mask
from payloom.ledger.postings import Posting
from payloom.notices.replay import Replayed
from payloom.payments.decide import Change
from payloom.payments.model import Payment
from payloom.payments.record import Recorded
from payloom.refunds.record import Recorded as RecordedRefund

MASKED = "[masked]"
TEXT_MAX = 20_000  # characters of a body that is no JSON
# What PSPs call the things that are about a person.
PERSONAL = frozenset(
    "email phone name line1 line2 postal_code city ip ip_address dob first_name last_name".split()
)


def show_body(body: bytes) -> Any:
    """The body as JSON, or as text when it is none, with what nobody needs to see blanked."""
    try:
        return _masked(json.loads(body))
    except (ValueError, RecursionError):
        return mask(body.decode(errors="backslashreplace")[:TEXT_MAX])


def show_meaning(meaning: Meaning | UnreadableNotice) -> dict[str, Any]:
    """What it means to us now."""
    match meaning:
        case Concerns(attempt, outcome):
            return {"kind": "concerns", "attempt_id": attempt, **_says(outcome)}
        case ConcernsRefund(attempt, refund, outcome):
            about = {"attempt_id": attempt, "refund_id": refund}
            return {"kind": "concerns_refund", **about, **_says(outcome)}
        case NotOurs(why):
            return {"kind": "not_ours", "why": why}
        case Ignored(why):
            return {"kind": "ignored", "why": why}
        case UnreadableNotice():
            return {"kind": "unreadable", "why": str(meaning)}


def show_replayed(replayed: Replayed) -> dict[str, Any]:
    """What was or would be changed, before and after."""
    notice, effect = replayed.waiting.notice, replayed.effect
    end = effect.end if effect else None
    return {
        "notice_id": ids.text("ntc", notice.id),
        "type": notice.type,
        "changed": replayed.is_news,
        "state": _change(replayed.waiting.state, end.state if end else replayed.waiting.state),
        "remark": end.remark if end else replayed.waiting.remark,
        **_show_recorded(effect.recorded if effect else None),
        "error": mask(replayed.error) if replayed.error else None,
    }


def _says(outcome: Outcome | RefundOutcome) -> dict[str, Any]:
    details = _masked(json.loads(json.dumps(asdict(outcome), default=str)))
    return {"says": type(outcome).__name__, "details": details}


def _show_recorded(recorded: Recorded | RecordedRefund | None) -> dict[str, Any]:
    payment = recorded.payment if recorded else None
    change = recorded.change if recorded else None
    return {
        **dict.fromkeys(_ABOUT),
        **(
            _show_payment(payment, recorded.fact.attempt_id, change) if payment and recorded else {}
        ),
        **(_show_refund(recorded) if isinstance(recorded, RecordedRefund) else {}),
        "postings": [_show_posting(posting) for posting in change.postings] if change else [],
        "events": list(change.events) if change else [],
        "money_goes_back": change is not None and change.is_surplus,
        "doubt": recorded.doubt if recorded else None,
    }


_ABOUT = (
    "payment_order_id", "payment_order_status", "attempt_id", "attempt_state", "refund_id",
    "refund_state",
)  # fmt: skip


def _show_payment(payment: Payment, attempt_id: UUID, change: Change | None) -> dict[str, Any]:
    order, attempt = payment.order, payment.attempt(attempt_id)
    first = change.steps[0] if change else None
    return {
        "payment_order_id": order.public_id,
        "payment_order_status": _change(first.from_status if first else order.status, order.status),
        "attempt_id": attempt.public_id,
        "attempt_state": _change(first.from_state if first else attempt.state, attempt.state),
    }


def _show_refund(recorded: RecordedRefund) -> dict[str, Any]:
    refund = recorded.refund
    if refund is None:
        return {}
    return {"refund_id": refund.public_id, "refund_state": _change(recorded.was, refund.state)}


def _show_posting(posting: Posting) -> dict[str, Any]:
    debit = next(entry for entry in posting.entries if entry.amount.minor > 0)
    return {
        "kind": posting.kind,
        "amount": debit.amount.minor,
        "currency": debit.amount.currency,
    }


def _change(before: object, after: object) -> dict[str, str]:
    return {"before": str(before), "after": str(after)}


def _masked(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _masked(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, key) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if key in PERSONAL or "secret" in key:
        return MASKED
    if key == "url" or key.endswith("_url"):
        return _without_query(str(value))
    masked = mask(str(value))
    return value if masked == str(value) else masked


def _without_query(url: str) -> str:
    """What opens a page stands behind ? or # in its address."""
    return mask(url).partition("?")[0].partition("#")[0]
