"""Early fraud warnings: a bank suspects a payment before anybody disputes it."""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

KIND = "radar.early_fraud_warning"


def warn(tx: Tx, charge: Json) -> None:
    warning = {
        "id": new_id("issfr"),
        "actionable": True,
        "charge": charge["id"],
        "created": int(tx.now),
        "fraud_type": "made_with_stolen_card",
        "livemode": charge["livemode"],
        "payment_intent": charge["payment_intent"],
    }
    tx.insert(KIND, warning, parent=charge["id"])
    emit(tx, f"{KIND}.created", KIND, warning)


def settle_by_refund(tx: Tx, charge: Json) -> None:
    """Once all is given back, there is nothing left to do about a warning."""
    row = tx.db.execute(
        "SELECT id FROM objects WHERE parent = ? AND kind = ?", (charge["id"], KIND)
    ).fetchone()
    warning = tx.load(KIND, row[0]) if row and charge["refunded"] else None
    if warning and warning["actionable"]:
        warning["actionable"] = False
        tx.save(warning)
        emit(tx, f"{KIND}.updated", KIND, warning, previous={"actionable": True})
