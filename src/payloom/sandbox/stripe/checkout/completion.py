"""The end of a session on the shopper's side: the page is done, whether or not the money is."""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.events.emit import emit

Json = dict[str, Any]

EXPIRE = "stripe.expire_session"


def complete(tx: Tx, session: Json, billing: Json, *, payment_status: str) -> str:
    """Close the page for good; the id of the event that says so."""
    session |= {
        "status": "complete",
        "payment_status": payment_status,
        "url": None,
        "customer_details": {
            "address": billing["address"],
            "business_name": None,
            "email": session.get("customer_email") or billing["email"],
            "individual_name": None,
            "name": billing["name"],
            "phone": billing["phone"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    tx.save(session)
    agenda.cancel(tx, EXPIRE, session["id"])
    return emit(tx, "checkout.session.completed", "checkout.session", session)
