"""A method that was paid with, or set up, for later: attached to its customer, known as set up.

What bank debits ask for besides is the payer's mandate (docs.stripe.com/payments/sepa-debit).
"""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.customers import attaching
from payloom.sandbox.stripe.methods.debits import DEBITS
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

_URL = "https://stripe.com/mandates/sandbox"
# what a mandate says of each debit; of the others nothing
_MANDATES: dict[str, Json] = {
    "acss_debit": {
        "default_for": None,
        "interval_description": None,
        "payment_schedule": "sporadic",
        "transaction_type": "personal",
    },
    "au_becs_debit": {"url": _URL},
    "bacs_debit": {
        "display_name": None,
        "network_status": "accepted",
        "reference": "SANDBOX1",
        "revocation_reason": None,
        "service_user_number": None,
        "url": _URL,
    },
    "sepa_debit": {"reference": "SANDBOX1", "url": _URL},
    "us_bank_account": {"collection_method": None},
}


def is_wanted(intent: Json, type_: str) -> bool:
    """Whether a payment is also to set its method up."""
    options = intent.get("payment_method_options", {}).get(type_) or {}
    usages = (intent.get("setup_future_usage"), options.get("setup_future_usage"))
    return bool({"off_session", "on_session"} & set(usages))


def save(tx: Tx, intent: Json, method: Json) -> None:
    """Set it up for who pays or set it up; what nobody keeps is attached to nobody."""
    method["_set_up"] = True
    if intent.get("customer") and not method.get("customer"):
        attaching.put(tx, method, intent["customer"])
    else:
        tx.save(method)


def use_up(tx: Tx, method: Json) -> None:
    """What paid once and is nobody's cannot pay again (docs.stripe.com/api/payment_methods)."""
    if not method.get("_spent"):
        method["_spent"] = True
        tx.save(method)


def mandate(tx: Tx, method: Json, acceptance: Json) -> str | None:
    """The payer's consent to later debits; its id, where the method needs one."""
    type_ = method["type"]
    if type_ not in DEBITS:
        return None
    online = acceptance.get("online") or {}
    id_ = new_id("mandate")
    kept = {
        "id": id_,
        "created": int(tx.now),
        "customer_acceptance": {
            "accepted_at": int(acceptance.get("accepted_at") or tx.now),
            "offline": None if online else acceptance.get("offline"),
            "online": dict.fromkeys(("ip_address", "user_agent")) | online,
            "type": acceptance.get("type", "online"),
        },
        "livemode": tx.tenant.livemode,
        "payment_method": method["id"],
        "payment_method_details": {type_: _MANDATES.get(type_, {}), "type": type_},
        "status": "active",
    }
    tx.insert("mandate", kept)
    return id_
