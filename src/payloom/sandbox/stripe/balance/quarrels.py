"""Disputes as they go: opened by the bank, answered with evidence, decided, or lost in silence.

A chargeback takes the money and a fee at once; when it is won the money comes back, the fee does
not. An inquiry moves nothing, unless it is escalated to a chargeback. Which it will be say the
test card and the magic evidence (docs.stripe.com/testing#disputes). Stripe decides on the magic
evidence within seconds; other evidence stays under review. How many days there are to answer, and
that an unanswered inquiry is closed after 120 days, are our choice within what banks do.
"""

from dataclasses import dataclass
from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import fees, repay, transactions
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "dispute"
DECIDE = "stripe.dispute_decided"
EXPIRE = "stripe.dispute_expires"
DECIDED_AFTER_S = 5
DAY = 86_400
DAYS_TO_ANSWER = 8
INQUIRY_DAYS = 120

WINNING, LOSING, ESCALATING = "winning_evidence", "losing_evidence", "escalate_inquiry_evidence"
CLOSED = ("won", "lost", "warning_closed")
ANSWERABLE = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}


@dataclass(frozen=True, slots=True)
class Claim:
    """What the shopper's bank says."""

    reason: str
    case_type: str  # "chargeback" or "inquiry"
    network_code: str


# what a test card does after it has paid → the claim
CLAIMS = {
    "disputed_fraudulent": Claim("fraudulent", "chargeback", "10.4"),
    "disputed_inquiry": Claim("general", "inquiry", "10"),
    "disputed_not_received": Claim("product_not_received", "chargeback", "13.1"),
}


def open_(tx: Tx, charge: Json, claim: Claim) -> None:
    """The bank disputes all of a charge that was not given back."""
    dispute: Json = {
        "id": new_id("dp"),
        "amount": charge["amount_captured"] - charge.get("amount_refunded", 0),
        "balance_transactions": [],
        "charge": charge["id"],
        "created": int(tx.now),
        "currency": charge["currency"],
        "evidence_details": _details(_end_of_day(tx.now + DAYS_TO_ANSWER * DAY)),
        "is_charge_refundable": claim.case_type == "inquiry",
        "livemode": charge["livemode"],
        "network_reason_code": claim.network_code,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method_details(charge, claim),
        "reason": claim.reason,
        "status": "needs_response" if claim.case_type == "chargeback" else "warning_needs_response",
    }
    if claim.case_type == "chargeback":
        _withdraw(tx, dispute)
    tx.insert(KIND, dispute, parent=charge["id"])
    tx.save(charge | {"disputed": True})
    emit(tx, "charge.dispute.created", KIND, dispute)
    if claim.case_type == "chargeback":
        emit(tx, "charge.dispute.funds_withdrawn", KIND, dispute)
    agenda.schedule(tx, EXPIRE, dispute["id"], dispute["evidence_details"]["due_by"])


def submit(tx: Tx, dispute: Json) -> None:
    """The evidence goes to the bank, which decides at once only on the magic one."""
    details = dispute["evidence_details"]
    details |= {"submission_count": details["submission_count"] + 1}
    dispute["status"] = ANSWERABLE[dispute["status"]]
    agenda.cancel(tx, EXPIRE, dispute["id"])
    if dispute["evidence"]["uncategorized_text"] in (WINNING, LOSING, ESCALATING):
        agenda.schedule(tx, DECIDE, dispute["id"], tx.now + DECIDED_AFTER_S)
    elif is_inquiry(dispute):
        _close_in_the_end(tx, dispute)


def decide(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the bank has read the evidence."""
    agenda.finish(tx, timer)
    dispute = tx.load(KIND, timer.ref)
    if dispute is None or dispute["status"] in CLOSED:
        return
    text = dispute["evidence"]["uncategorized_text"]
    if not is_inquiry(dispute):
        close(tx, dispute, "won" if text == WINNING else "lost")
    elif text == ESCALATING:
        _escalate(tx, dispute)
    else:
        close(tx, dispute, "warning_closed")


def expire(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: the time to answer is over. An inquiry is closed later, if ever."""
    agenda.finish(tx, timer)
    dispute = tx.load(KIND, timer.ref)
    if dispute is None or dispute["status"] in CLOSED:
        return
    if not is_inquiry(dispute):
        dispute["evidence_details"]["past_due"] = True
        close(tx, dispute, "lost")
    elif dispute["status"] == "warning_needs_response" and timer.due_at < _last_day(dispute):
        dispute["evidence_details"]["past_due"] = True
        update(tx, dispute, {"evidence_details": {"past_due": False}})
        _close_in_the_end(tx, dispute)
    else:
        close(tx, dispute, "warning_closed")


def close(tx: Tx, dispute: Json, status: str) -> None:
    """The end: of what was won the money comes back, and it may be given back again."""
    for kind in (DECIDE, EXPIRE):
        agenda.cancel(tx, kind, dispute["id"])
    was = dispute["status"]
    dispute |= {"is_charge_refundable": status != "lost", "status": status}
    if status == "won":
        _reinstate(tx, dispute)
    tx.save(dispute)
    if status == "won":
        emit(tx, "charge.dispute.funds_reinstated", KIND, dispute)
    emit(tx, "charge.dispute.closed", KIND, dispute, previous={"status": was})


def update(tx: Tx, dispute: Json, was: Json) -> None:
    tx.save(dispute)
    emit(tx, "charge.dispute.updated", KIND, dispute, previous=was)


def is_inquiry(dispute: Json) -> bool:
    return str(dispute["status"]).startswith("warning_")


def of_charge(tx: Tx, charge: Json) -> Json | None:
    """The dispute of a charge, if it has one."""
    if not charge.get("disputed"):
        return None
    row = tx.db.execute(
        "SELECT id FROM objects WHERE parent = ? AND kind = ?", (charge["id"], KIND)
    ).fetchone()
    return tx.load(KIND, row[0]) if row else None


def end_by_refund(tx: Tx, charge: Json) -> None:
    """An inquiry ends when all of its money was given back."""
    dispute = of_charge(tx, charge)
    if dispute and charge["refunded"] and dispute["status"] not in CLOSED and is_inquiry(dispute):
        close(tx, dispute, "warning_closed")


def _escalate(tx: Tx, dispute: Json) -> None:
    """The inquiry becomes a chargeback; the answer to it has to be given anew."""
    was = {"status": dispute["status"]}
    due_by = _end_of_day(tx.now + DAYS_TO_ANSWER * DAY)
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    dispute["evidence"]["uncategorized_text"] = None
    dispute |= {
        "evidence_details": _details(due_by),
        "is_charge_refundable": False,
        "status": "needs_response",
    }
    _take_back_refunds(tx, dispute["charge"])
    _withdraw(tx, dispute)
    update(tx, dispute, was)
    emit(tx, "charge.dispute.funds_withdrawn", KIND, dispute)
    agenda.schedule(tx, EXPIRE, dispute["id"], due_by)


def _take_back_refunds(tx: Tx, charge: str) -> None:
    """The bank takes all of the payment, so what was given back of it returns."""
    rows = tx.db.execute(
        "SELECT id FROM objects WHERE parent = ? AND kind = 'refund' ORDER BY seq", (charge,)
    ).fetchall()
    for (id_,) in rows:
        refund = tx.load("refund", id_)
        if refund and refund["status"] in ("succeeded", "pending"):
            repay.bounce(tx, refund, "charge_for_pending_refund_disputed")


def _withdraw(tx: Tx, dispute: Json) -> None:
    _move(
        tx,
        dispute,
        -dispute["amount"],
        fee=fees.of_dispute(dispute["currency"]),
        fee_for="Dispute fee",
        description=f"Chargeback withdrawal for {dispute['charge']}",
    )


def _reinstate(tx: Tx, dispute: Json) -> None:
    _move(
        tx,
        dispute,
        dispute["amount"],
        category="dispute_reversal",
        description=f"Chargeback reversal for {dispute['charge']}",
    )


def _move(tx: Tx, dispute: Json, amount: int, **more: Any) -> None:
    moved = transactions.book(tx, "adjustment", dispute, amount, **more)
    dispute["balance_transactions"].append(transactions.shown(tx, moved))


def _close_in_the_end(tx: Tx, dispute: Json) -> None:
    agenda.schedule(tx, EXPIRE, dispute["id"], _last_day(dispute))


def _last_day(dispute: Json) -> int:
    return int(dispute["created"]) + INQUIRY_DAYS * DAY


def _end_of_day(at: float) -> int:
    return int(at) - int(at) % DAY + DAY - 1


def _details(due_by: int) -> Json:
    usual: Json = render(KIND, {})["evidence_details"]
    return {**usual, "due_by": due_by}


def _method_details(charge: Json, claim: Claim) -> Json:
    card = charge["payment_method_details"]["card"]
    told = {"brand": card["brand"], "case_type": claim.case_type, "network": card["network"]}
    return {"card": {**told, "network_reason_code": claim.network_code}, "type": "card"}
