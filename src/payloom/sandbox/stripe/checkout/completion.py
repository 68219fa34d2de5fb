"""The end of a session on the shopper's side: the page is done, whether or not the money is."""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.customers import kept as customers
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
            "email": given_email(session) or billing["email"],
            "individual_name": None,
            "name": billing["name"],
            "phone": billing["phone"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    tx.save(session)
    _update_customer(tx, session, billing)
    agenda.cancel(tx, EXPIRE, session["id"])
    return emit(tx, "checkout.session.completed", "checkout.session", session)


def given_email(session: Json) -> str | None:
    """The shopper's email, where the merchant knew it before."""
    return (session.get("customer_details") or {}).get("email")


def customer_of(tx: Tx, session: Json, billing: Json) -> str | None:
    """Who pays: a customer that is made now where the merchant wants one, or has to have one."""
    wanted = session.get("customer_creation") == "always"
    if session.get("customer") is None and (wanted or session["_intent"].get("setup_future_usage")):
        given = {name: billing[name] for name in ("name", "phone", "address")}
        given["email"] = given_email(session) or billing["email"]
        session["customer"] = customers.make(tx, given)["id"]
        tx.save(session)
    return session.get("customer")


def _update_customer(tx: Tx, session: Json, billing: Json) -> None:
    """What the shopper typed becomes the customer's, where the merchant said so."""
    wanted = session.get("_customer_update", {})
    given = {
        name: billing[name]
        for name in ("address", "name")
        if wanted.get(name) == "auto" and billing[name]
    }
    if given:
        customers.change(tx, customers.find(tx, session["customer"]), given)
