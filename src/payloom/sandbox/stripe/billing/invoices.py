"""The invoice's calls: draft, change, finalize, pay, send, void, give up, delete."""

from typing import Any

from payloom.sandbox.stripe.billing import invoice, invoice_items
from payloom.sandbox.stripe.catalog.currencies import check_currency
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.payments import confirm, intents, payment_intents
from payloom.sandbox.stripe.payments.confirm import How, Outcome
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call, Reply
from payloom.sandbox.stripe.protocol.errors import (
    StripeError,
    invalid,
    missing_parameter,
    no_such,
    wrong_state,
)
from payloom.sandbox.stripe.protocol.resources import row_shown
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = invoice.KIND
STATUSES = ("draft", "open", "paid", "uncollectible", "void")

_WORDS: dict[str, params.Check] = {
    "auto_advance": params.boolean,
    "collection_method": params.one_of("charge_automatically", "send_invoice"),
    "days_until_due": params.integer(0),
    "default_payment_method": params.text(),
    "description": params.text(may_be_empty=True),
    "due_date": params.integer(0),
    "expand": params.EXPAND,
    "footer": params.text(may_be_empty=True),
    "metadata": params.metadata,
    "statement_descriptor": params.text(22),
}
_CREATE: dict[str, params.Check] = {
    **_WORDS,
    "currency": check_currency,
    "customer": params.text(),
    "metadata": params.new_metadata,
    "pending_invoice_items_behavior": params.one_of("exclude", "include"),
}
_KEPT = (
    "auto_advance",
    "collection_method",
    "default_payment_method",
    "description",
    "due_date",
    "footer",
    "metadata",
    "statement_descriptor",
)
_AFTER_DRAFT = ("description", "expand", "footer", "metadata")
_PAY: dict[str, params.Check] = {
    "expand": params.EXPAND,
    "off_session": params.boolean,
    "paid_out_of_band": params.boolean,
    "payment_method": params.text(),
}
_ONLY_EXPAND: dict[str, params.Check] = {"expand": params.EXPAND}
_FINALIZE: dict[str, params.Check] = {**_ONLY_EXPAND, "auto_advance": params.boolean}
_LIST: dict[str, params.Check] = {
    **lists.PAGING,
    **lists.CREATED,
    "collection_method": params.one_of("charge_automatically", "send_invoice"),
    "customer": params.text(),
    "status": params.one_of(*STATUSES),
    "subscription": params.text(),
}
DAY = 86_400


def create(call: Call) -> Json:
    asked = params.read(call.form, _CREATE)
    if "customer" not in asked:
        raise missing_parameter("customer")
    customer = call.tx.load("customer", asked["customer"])
    if customer is None:
        raise no_such("customer", asked["customer"], param="customer", status=400)
    given = {name: asked[name] for name in _KEPT if name in asked} | _due(call, asked)
    currency = asked.get("currency")
    items = []
    if asked.get("pending_invoice_items_behavior") == "include":
        items = invoice_items.pending(call.tx, customer["id"], currency)
    given["currency"] = currency or customer.get("currency") or "usd"
    call.expand = asked.get("expand", [])
    return render(KIND, invoice.draft(call.tx, customer, items, given))


def list_(call: Call) -> Json:
    asked = params.read(call.form, _LIST)
    selection = lists.of_kind(call, KIND, asked)
    if "customer" in asked:
        selection.add("body ->> '$.customer' = ?", asked["customer"])
    for name, usual in (("status", "draft"), ("collection_method", "charge_automatically")):
        if name in asked:
            selection.add(f"coalesce(body ->> '$.{name}', '{usual}') = ?", asked[name])
    if "subscription" in asked:
        selection.add("FALSE")
    call.expand = asked.get("expand", [])
    return lists.page(call, selection, asked, kind=KIND, show=row_shown)


def list_lines(call: Call) -> Json:
    """The lines are kept with their invoice, in its order."""
    asked = params.read(call.form, lists.PAGING)
    lines: list[Json] = _find(call)["lines"]["data"]
    ids = [line["id"] for line in lines]
    start = ids.index(asked["starting_after"]) + 1 if asked.get("starting_after") in ids else 0
    limit = asked.get("limit", lists.LIMIT_USUAL)
    call.expand = asked.get("expand", [])
    data = lines[start : start + limit]
    return lists.envelope(call.path, data, has_more=len(lines) > start + limit)


def update(call: Call) -> Json:
    asked = params.read(call.form, _WORDS)
    kept = _find(call)
    frozen = [name for name in asked if name not in _AFTER_DRAFT]
    if frozen and _status(kept) != "draft":
        message = "Finalized invoices can't be updated in this way."
        raise wrong_state(message, param=frozen[0], code="invoice_not_editable")
    merged = params.merged(kept.get("metadata", {}), asked.get("metadata", {}))
    change = {name: asked[name] for name in _KEPT if name in asked} | _due(call, asked)
    change |= {"metadata": merged} if "metadata" in asked else {}
    shown = render(KIND, kept)
    was = {name: shown[name] for name, new in change.items() if shown[name] != new}
    if was:
        kept |= change
        call.tx.save(kept)
        emit(call.tx, "invoice.updated", KIND, kept, previous=was)
    call.expand = asked.get("expand", [])
    return render(KIND, kept)


def delete(call: Call) -> Json:
    kept = _find(call)
    if _status(kept) != "draft":
        message = "You can only delete draft invoices."
        raise wrong_state(message, code="invoice_not_editable")
    invoice.delete(call.tx, kept)
    return {"id": kept["id"], "object": KIND, "deleted": True}


def finalize(call: Call) -> Json:
    asked = params.read(call.form, _FINALIZE)
    kept = _find(call)
    _check_status(kept, ("draft",), "finalized")
    if "auto_advance" in asked:
        kept["auto_advance"] = asked["auto_advance"]
    invoice.finalize(call.tx, kept)
    call.expand = asked.get("expand", [])
    return render(KIND, kept)


def pay(call: Call) -> Json | Reply:
    """Try to collect it now, finalizing a draft first."""
    asked = params.read(call.form, _PAY)
    kept = _find(call)
    if _status(kept) == "paid":
        raise wrong_state("Invoice is already paid", code="invoice_already_paid")
    _check_status(kept, ("draft", "open", "uncollectible"), "paid")
    if _status(kept) == "draft":
        invoice.finalize(call.tx, kept)
    call.expand = asked.get("expand", [])
    if _status(kept) == "paid":
        return render(KIND, kept)
    if asked.get("paid_out_of_band"):
        invoice.withdraw(call.tx, kept)
        invoice.settle(call.tx, kept, out_of_band=True)
        return render(KIND, kept)
    return _collect(call, kept, asked)


def send(call: Call) -> Json:
    asked = params.read(call.form, _ONLY_EXPAND)
    kept = _find(call)
    if kept.get("collection_method") != "send_invoice":
        message = "You can only manually send an invoice if its collection method is 'send_invoice'"
        raise wrong_state(message)
    _check_status(kept, ("draft", "open"), "sent")
    if _status(kept) == "draft":
        invoice.finalize(call.tx, kept)
    emit(call.tx, "invoice.sent", KIND, kept)
    call.expand = asked.get("expand", [])
    return render(KIND, kept)


def void(call: Call) -> Json:
    asked = params.read(call.form, _ONLY_EXPAND)
    kept = _find(call)
    _check_status(kept, ("open", "uncollectible"), "voided")
    invoice.end(call.tx, kept, "void", "voided", "voided_at")
    call.expand = asked.get("expand", [])
    return render(KIND, kept)


def give_up(call: Call) -> Json:
    asked = params.read(call.form, _ONLY_EXPAND)
    kept = _find(call)
    _check_status(kept, ("open",), "marked uncollectible")
    word = "marked_uncollectible"
    invoice.end(call.tx, kept, "uncollectible", word, f"{word}_at")
    call.expand = asked.get("expand", [])
    return render(KIND, kept)


def payments(tx: Any, shown: Json) -> Json:
    """The list that an invoice shows of its payments when it is expanded."""
    rows = tx.db.execute(
        "SELECT kind, body FROM objects WHERE parent = ? AND kind = ? ORDER BY seq DESC",
        (shown["id"], invoice.PAYMENT),
    ).fetchall()
    url = f"/v1/invoice_payments?invoice={shown['id']}"
    return lists.envelope(url, [row_shown(row) for row in rows])


def secret(tx: Any, shown: Json) -> Json | None:
    """By which a client confirms the payment of an open invoice, when it is expanded."""
    kept = tx.load(KIND, shown["id"])
    intent = invoice.intent_of(tx, kept) if kept else None
    if intent is None:
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _collect(call: Call, kept: Json, asked: Json) -> Json | Reply:
    intent = invoice.intent_of(call.tx, kept)
    if intent is None:
        raise LookupError(f"invoice {kept['id']} is open and has no payment intent")
    method = _method(call, kept, asked)
    if method["type"] not in intent["payment_method_types"]:
        intent["payment_method_types"] = [method["type"]]
    how = How(
        call.secret,
        action_url=f"{call.base_url}/c/authorize/{intent['id']}",
        voucher_url=f"{call.base_url}/c/authorize/{intent['id']}/voucher",
        off_session=asked.get("off_session", True),
    )
    tried = confirm.attempt(call.tx, intent, method, how)
    invoice.count_try(kept)
    if tried.outcome is Outcome.DONE and intent["status"] == "succeeded":
        invoice.settle(call.tx, kept)
        return render(KIND, kept)
    if tried.outcome is Outcome.DONE:
        call.tx.save(kept)  # left to a bank
        return render(KIND, kept)
    invoice.fail(call.tx, kept, asks=tried.outcome is Outcome.ACTION)
    if tried.outcome is Outcome.ACTION:
        return Reply(402, {"error": _asks(intent)})
    return payment_intents.answer(tried, method)


def _asks(intent: Json) -> Json:
    error = StripeError(
        402,
        "card_error",
        "Payment for this invoice requires additional user action before it can be completed"
        " successfully. Payment can be completed using the PaymentIntent associated with the"
        " invoice.",
        code="invoice_payment_intent_requires_action",
        more={"payment_intent": render(intents.KIND, intent)},
    )
    return error.error


def _method(call: Call, kept: Json, asked: Json) -> Json:
    """What it is paid with: named now, by the invoice, or by its customer."""
    customer = call.tx.load("customer", kept["customer"]) or {}
    settings = customer.get("invoice_settings") or {}
    id_ = (
        asked.get("payment_method")
        or kept.get("default_payment_method")
        or settings.get("default_payment_method")
    )
    if id_ is None:
        raise wrong_state(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a"
            " `default_payment_method` prior to attempting payment on the Invoice."
        )
    method = payment_methods.find(call.tx, id_, call.secret, param="payment_method")
    if method.get("customer") not in (None, kept["customer"]):
        message = f"The payment method {id_} belongs to another customer."
        raise invalid(message, param="payment_method")
    return method


def _due(call: Call, asked: Json) -> Json:
    """When an invoice that is sent has to be paid."""
    sends = asked.get("collection_method") == "send_invoice"
    if sends and "days_until_due" not in asked and "due_date" not in asked:
        raise invalid(
            "You must specify either `days_until_due` or `due_date` for an invoice that is sent.",
            param="days_until_due",
        )
    if "days_until_due" in asked:
        return {"due_date": call.now + asked["days_until_due"] * DAY}
    return {}


def _status(kept: Json) -> str:
    return str(kept.get("status", "draft"))


def _check_status(kept: Json, allowed: tuple[str, ...], done: str) -> None:
    if _status(kept) not in allowed:
        code = "invoice_not_editable" if done == "finalized" else None
        raise wrong_state(
            f"This invoice cannot be {done}: it is {_status(kept)}, and only an invoice that is"
            f" {' or '.join(allowed)} can be.",
            code=code,
        )


def _find(call: Call) -> Json:
    kept = call.tx.load(KIND, call.ids[0])
    if kept is None:
        raise no_such("invoice", call.ids[0], param="invoice")
    return kept
