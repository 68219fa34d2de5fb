"""Setup attempts: what became of each try of a setup intent."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol.call import Call, Reply
from payloom.sandbox.stripe.protocol.errors import missing_parameter
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.resources import lister

Json = dict[str, Any]

KIND = "setup_attempt"
_OF_CARD = (
    "brand", "checks", "country", "description", "exp_month", "exp_year", "fingerprint", "funding",
    "iin", "issuer", "last4", "wallet",
)  # fmt: skip
_AUTHENTICATED = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": None,
    "version": "2.2.0",
}
_list = lister(KIND, by_parent="setup_intent")


def begin(tx: Tx, setup: Json, method: Json) -> None:
    """A try by this method; one that still waited for the shopper is given up."""
    if _latest(tx, setup).get("status") == "requires_action":
        end(tx, setup, "abandoned")
    type_ = method["type"]
    attempt = {
        "id": new_id("setatt"),
        "created": int(tx.now),
        "customer": setup.get("customer"),
        "livemode": tx.tenant.livemode,
        "payment_method": method["id"],
        "payment_method_details": {type_: _details(method), "type": type_},
        "setup_intent": setup["id"],
        "status": "processing",
        "usage": setup["usage"],
    }
    setup["latest_attempt"] = attempt["id"]
    tx.insert(KIND, attempt, parent=setup["id"])


def end(tx: Tx, setup: Json, status: str, *, error: Json | None = None) -> None:
    """What became of the latest try, for now or for good."""
    attempt = _latest(tx, setup)
    card = attempt["payment_method_details"].get("card")
    if card and attempt["status"] == "requires_action" and status == "succeeded":
        card["three_d_secure"] = _AUTHENTICATED
    tx.save(attempt | {"setup_error": error, "status": status})


def list_(call: Call) -> Json | Reply:
    if "setup_intent" not in call.form:
        raise missing_parameter("setup_intent")
    return _list(call)


def _latest(tx: Tx, setup: Json) -> Json:
    return tx.load(KIND, setup.get("latest_attempt") or "") or {}


def _details(method: Json) -> Json:
    if method["type"] != "card":
        return {}
    card = method["card"]
    more = {"moto": None, "network": card["brand"], "three_d_secure": None}
    return {name: card[name] for name in _OF_CARD} | more
