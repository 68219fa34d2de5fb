"""What happened to one payment order and why, in order, from our own rows."""

from datetime import datetime
from typing import Any

from payloom.core import ids
from payloom.core.clock import rfc3339
from payloom.core.db import Tx
from payloom.payments import queries
from payloom.payments.model import Attempt, Payment
from payloom.payments.queries import LogRow
from payloom.payments.states import State

_SAID = {
    "Requested": "The shop asked to be paid",
    "Registered": "The PSP made the page; its token is stored",
    "Refused": "The PSP refused to register this payment",
    "Declined": "A try to pay was declined; the page stays payable",
    "Processing": "The shopper is done; the bank is not",
    "Approved": "The shopper agreed; the money is to be taken",
    "Authorized": "The money is reserved",
    "Paid": "The money was taken",
    "Failed": "The payment came to nothing",
    "Expired": "The page expired unpaid",
    "Canceled": "The page was ended at our wish",
    "CancelRequested": "The shop asked to cancel the order",
    "SurplusReturned": "The money was not wanted and was returned",
    "SurplusNotReturned": "The PSP could not return the money that was not wanted",
    "RefundRequested": "The shop asked to give money back",
    "RefundStarted": "Somebody started a refund at the PSP",
    "Refunded": "The refund left for the shopper",
    "RefundFailed": "The refund could not be made, or came back",
    "RefundCanceled": "The refund was withdrawn before it left",
    "NeverSent": "The new attempt was not needed any more and was never sent",
}


async def timeline(tx: Tx, payment: Payment) -> dict[str, Any]:
    """`{"data": [{at, kind, summary, cause, data}], "next": [{at, what}]}`."""
    order = payment.order
    rows = await queries.log_of(tx, order.merchant_id, order.id)
    found = [entry for row in rows for entry in _of_log(row, payment)]
    for row in await tx.fetch(_CALLS, order.merchant_id, order.id):
        found.append(_of_call(row, payment))
    for row in await tx.fetch(_NOTICES, order.merchant_id, [a.id for a in payment.attempts]):
        found.append(_of_notice(row))
    for row in await tx.fetch(_POSTINGS, order.merchant_id, order.id):
        found.append(_of_posting(row))
    for row in await tx.fetch(_DELIVERIES, order.merchant_id, order.id):
        found += _of_delivery(row)
    found.sort(key=lambda entry: (entry[0], entry[1]))
    jobs = await tx.fetch(_JOBS, order.merchant_id, [a.id for a in payment.attempts])
    return {
        "data": [entry for _, _, entry in found],
        "next": [
            {"at": rfc3339(row["run_at"]), "what": "the PSP is asked about the page"}
            for row in jobs
        ],
    }


# What a PSP was asked, by the connector's verb.
_ASKED = {
    "register": "make the page",
    "find": "list what it made at that time",
    "look_up": "say how the page stands",
    "expire": "end the page",
    "complete": "take the approved money",
    "refund": "return the money",
    "look_up_refund": "say how the refund stands",
}

_Entry = tuple[datetime, int, dict[str, Any]]


def _entry(
    at: datetime, rank: int, kind: str, summary: str, cause: str | None, **data: Any
) -> _Entry:
    shown = {"at": rfc3339(at), "kind": kind, "summary": summary, "cause": cause, "data": data}
    return at, rank, shown


def _of_log(row: LogRow, payment: Payment) -> list[_Entry]:
    attempt = payment.attempt(row.attempt_id)
    cause = f"{row.cause.kind}:{row.cause.id}" if row.cause.id else row.cause.kind
    moved = {
        "attempt": attempt.public_id,
        "from": row.from_status,
        "to": row.to_status,
        "from_state": row.from_state,
        "to_state": row.to_state,
        "outcome": row.outcome,
    }
    said = _SAID.get(row.outcome, row.outcome)
    if row.outcome == "Requested":
        if row.from_status is not None:
            said = "The shop asked for a new attempt"
        asked = [_asked(attempt, attempt.asked_at)] if attempt.asked_at else []
        return [_entry(row.at, 0, "request.received", said, cause, **moved), *asked]
    answered = []
    if row.to_state in (State.OPEN, State.REFUSED) and row.from_state == State.REGISTERING:
        answered = [_entry(row.at, 3, "psp.answered", f"{attempt.psp} answered", cause,
                           attempt=attempt.public_id, token=attempt.token)]  # fmt: skip
    kind = "attempt.opened" if row.to_state == State.OPEN and answered else "state.changed"
    return [*answered, _entry(row.at, 5, kind, said, cause, **moved)]


def _asked(attempt: Attempt, at: datetime) -> _Entry:
    waited = attempt.answered_at - at if attempt.answered_at else None
    return _entry(
        at,
        1,
        "psp.called",
        f"{attempt.psp} was asked to make a page",
        "request",
        attempt=attempt.public_id,
        duration_ms=round(waited.total_seconds() * 1000) if waited else None,
    )


def _of_call(row: Any, payment: Payment) -> _Entry:
    attempt = payment.attempt(row["attempt_id"])
    answer = row["detail"] if row["outcome"] == "Unknown" else row["outcome"]
    return _entry(
        row["at"],
        2,
        "psp.called",
        f"{attempt.psp} was asked to {_ASKED.get(row['verb'], row['verb'])}: {answer}",
        f"attempt:{attempt.public_id}",
        attempt=attempt.public_id,
        verb=row["verb"],
        duration_ms=row["duration_ms"],
        outcome=row["outcome"],
        detail=row["detail"],
    )


def _of_notice(row: Any) -> _Entry:
    return _entry(
        row["received_at"],
        4,
        "notice.received",
        f"The PSP sent {row['type']}",
        f"notice:{ids.text('ntc', row['id'])}",
        psp_event=row["psp_event"],
        state=row["state"],
        remark=row["remark"],
    )


def _of_posting(row: Any) -> _Entry:
    return _entry(
        row["at"],
        6,
        "posting.written",
        f"The ledger posted {row['kind']}",
        row["source"],
        posting=ids.text("pst", row["id"]),
        posting_kind=row["kind"],
    )


def _of_delivery(row: Any) -> list[_Entry]:
    event = ids.text("evt", row["id"])
    data = {"event": event, "type": row["type"], "sequence": row["sequence"]}
    told = f"{row['type']} was published"
    found = [_entry(row["at"], 7, "event.published", told, event, **data)]
    if row["first_delivered_at"] is not None:
        told = f"{row['type']} was delivered to the shop"
        found.append(_entry(row["first_delivered_at"], 8, "event.delivered", told, event, **data))
    if row["asked_again_at"] is not None:
        told = f"{row['type']} was asked for once more"
        found.append(_entry(row["asked_again_at"], 7, "event.redelivered", told, "request", **data))
    if row["state"] == "delivered":
        again = "" if row["asked_again_at"] is None else " after it was asked for"
        told = f"{row['type']} was delivered to the shop{again}"
        at, tries = row["finished_at"], row["tries"]
        found.append(_entry(at, 8, "event.delivered", told, event, **data, tries=tries))
    return found


_CALLS = """
SELECT at, attempt_id, verb, duration_ms, outcome, detail FROM psp_calls
 WHERE merchant_id = $1 AND payment_order_id = $2
"""

_NOTICES = """
SELECT id, type, psp_event, state, remark, received_at FROM notices
 WHERE merchant_id = $1 AND attempt_id = ANY ($2::uuid[])
"""

_POSTINGS = """
SELECT id, kind, source, at FROM ledger_postings WHERE merchant_id = $1 AND payment_order_id = $2
"""

_DELIVERIES = """
SELECT e.id, e.type, e.sequence, e.at, d.state, d.tries, d.finished_at, d.asked_again_at,
       d.first_delivered_at
  FROM events AS e
  LEFT JOIN deliveries AS d ON d.merchant_id = e.merchant_id AND d.event_id = e.id
 WHERE e.merchant_id = $1 AND e.payment_order_id = $2
"""

_JOBS = """
SELECT run_at FROM jobs WHERE merchant_id = $1 AND kind = 'look_up' AND subject = ANY ($2::uuid[])
"""
