"""An invoice as it is kept: drafted, finalized, then paid, voided or given up."""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.billing import invoice_items
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.payments import captures, intents
from payloom.sandbox.stripe.payments.owners import Later, owner_of
from payloom.sandbox.stripe.protocol import lists
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "invoice"
PAYMENT = "invoice_payment"
ADVANCE = "stripe.invoice_advances"
ADVANCES_AFTER_S = 3600  # docs.stripe.com/invoicing/integration/automatic-advancement-collection


def draft(tx: Tx, customer: Json, items: list[Json], given: Json) -> Json:
    id_ = new_id("in")
    total = sum(item["amount"] for item in items)
    lines = [_line(tx, item, id_) for item in items]
    invoice = {
        "id": id_,
        "amount_due": max(0, total),
        "amount_remaining": max(0, total),
        "created": int(tx.now),
        "currency": items[0]["currency"] if items else given["currency"],
        "customer": customer["id"],
        "customer_address": customer.get("address"),
        "customer_email": customer.get("email"),
        "customer_name": customer.get("name"),
        "customer_phone": customer.get("phone"),
        "customer_shipping": customer.get("shipping"),
        "lines": lists.envelope(f"/v1/invoices/{id_}/lines", lines),
        "livemode": tx.tenant.livemode,
        "period_end": int(tx.now),
        "period_start": int(tx.now),
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
        **given,
    }
    for item in items:
        invoice_items.take_up(tx, item, id_)
    if invoice.get("auto_advance"):
        invoice["automatically_finalizes_at"] = int(tx.now) + ADVANCES_AFTER_S
        agenda.schedule(tx, ADVANCE, id_, tx.now + ADVANCES_AFTER_S)
    tx.insert(KIND, invoice)
    emit(tx, "invoice.created", KIND, invoice)
    return invoice


def finalize(tx: Tx, invoice: Json) -> None:
    """From now on it is owed; what is due has a payment intent."""
    agenda.cancel(tx, ADVANCE, invoice["id"])
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": int(tx.now),
        "ending_balance": 0,
        "number": _number(tx),
        "status": "open",
    }
    _note(invoice, "finalized_at", int(tx.now))
    tx.save(invoice)
    emit(tx, "invoice.finalized", KIND, invoice)
    if invoice["amount_due"]:
        _demand(tx, invoice)
    else:
        settle(tx, invoice)


def settle(tx: Tx, invoice: Json, *, out_of_band: bool = False) -> None:
    """All of it is paid."""
    amount = invoice["amount_remaining"]
    invoice |= {
        "amount_paid": invoice["amount_paid"] + amount if "amount_paid" in invoice else amount,
        "amount_remaining": 0,
        "attempted": True,
        "next_payment_attempt": None,
        "status": "paid",
    }
    if out_of_band:
        invoice["amount_paid_off_stripe"] = amount
    _note(invoice, "paid_at", int(tx.now))
    tx.save(invoice)
    if payment := payment_of(tx, invoice):
        payment |= {"amount_paid": amount, "status": "paid"}
        payment["status_transitions"] = {"canceled_at": None, "paid_at": int(tx.now)}
        tx.save(payment)
        emit(tx, "invoice_payment.paid", PAYMENT, payment)
    for word in ("paid", "payment_succeeded"):
        emit(tx, f"invoice.{word}", KIND, invoice)


def count_try(invoice: Json) -> None:
    invoice |= {"attempt_count": invoice.get("attempt_count", 0) + 1, "attempted": True}


def fail(tx: Tx, invoice: Json, *, asks: bool = False) -> None:
    """This try did not pay it; `asks`: the customer has to authenticate."""
    tx.save(invoice)
    if asks:
        emit(tx, "invoice.payment_action_required", KIND, invoice)
    emit(tx, "invoice.payment_failed", KIND, invoice)


def end(tx: Tx, invoice: Json, status: str, word: str, noted: str) -> None:
    """Void it, or give it up: nothing is asked for any more."""
    agenda.cancel(tx, ADVANCE, invoice["id"])
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    _note(invoice, noted, int(tx.now))
    tx.save(invoice)
    if status == "void":
        withdraw(tx, invoice)
    emit(tx, f"invoice.{word}", KIND, invoice)


def withdraw(tx: Tx, invoice: Json) -> None:
    """End the payment that was demanded."""
    intent, payment = intent_of(tx, invoice), payment_of(tx, invoice)
    if payment is not None:
        payment["status"] = "canceled"
        payment["status_transitions"] = {"canceled_at": int(tx.now), "paid_at": None}
        tx.save(payment)
    if intent is not None and intent["status"] not in ("succeeded", "canceled"):
        captures.cancel(tx, intent, "void_invoice")


def delete(tx: Tx, invoice: Json) -> None:
    """Of a draft: its items are owed as before."""
    agenda.cancel(tx, ADVANCE, invoice["id"])
    invoice_items.let_go(tx, invoice["id"])
    tx.delete(invoice["id"])
    emit(tx, "invoice.deleted", KIND, invoice)


def advance(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: a draft that advances by itself is finalized."""
    agenda.finish(tx, timer)
    invoice = tx.load(KIND, timer.ref)
    if invoice is not None and invoice.get("status", "draft") == "draft":
        finalize(tx, invoice)


def follow(tx: Tx, intent: Json, later: Later) -> None:
    """What a bank decided of its payment, days after the try."""
    invoice = owner_of(tx, intent, KIND)
    if invoice is None or invoice["status"] != "open":
        return
    if later is Later.SUCCEEDED:
        settle(tx, invoice)
    elif later is Later.FAILED:
        fail(tx, invoice)


def intent_of(tx: Tx, invoice: Json) -> Json | None:
    return tx.load(intents.KIND, invoice.get("_payment_intent") or "")


def payment_of(tx: Tx, invoice: Json) -> Json | None:
    return tx.load(PAYMENT, invoice.get("_payment") or "")


def _demand(tx: Tx, invoice: Json) -> None:
    given = {
        "amount": invoice["amount_due"],
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": invoice.get("description"),
        "payment_method_types": ["card"],
        "_owner": KIND,
    }
    intent = intents.make(tx, given)
    payment = {
        "id": new_id("inpay"),
        "amount_requested": invoice["amount_due"],
        "created": int(tx.now),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "livemode": invoice["livemode"],
        "payment": {
            "charge": None,
            "payment_intent": intent["id"],
            "payment_record": None,
            "type": "payment_intent",
        },
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    tx.insert(PAYMENT, payment, parent=invoice["id"])
    invoice |= {"_payment_intent": intent["id"], "_payment": payment["id"]}
    tx.save(invoice)
    tx.set_parent(invoice["id"], intent["id"])


def _line(tx: Tx, item: Json, invoice: str) -> Json:
    origin = {
        "invoice_item": item["id"],
        "proration": False,
        "proration_details": None,
        "subscription": None,
    }
    names = ("amount", "currency", "description", "metadata", "period", "pricing", "quantity")
    return render(
        "line_item",
        {
            "id": new_id("il"),
            "discountable": item["discountable"],
            "invoice": invoice,
            "livemode": tx.tenant.livemode,
            "parent": {
                "invoice_item_details": origin,
                "subscription_item_details": None,
                "type": "invoice_item_details",
            },
            "quantity_decimal": item["quantity_decimal"],
            "subtotal": item["amount"],
            **{name: item[name] for name in names},
        },
    )


def _note(invoice: Json, name: str, at: int) -> None:
    blank: Json = render(KIND, {})["status_transitions"]
    invoice["status_transitions"] = {**blank, **invoice.get("status_transitions", {}), name: at}


def _number(tx: Tx) -> str:
    (count,) = tx.db.execute(
        "SELECT count(*) FROM objects WHERE tenant = ? AND kind = ?"
        " AND body ->> '$.number' IS NOT NULL",
        (tx.tenant.id, KIND),
    ).fetchone()
    return f"SANDBOX-{count + 1:04d}"
