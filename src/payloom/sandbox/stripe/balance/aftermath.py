"""What follows a payment by a card that is made for it: a dispute, a warning, or money at once.

Stripe's sandbox has done it before it answers that the charge, or its capture, succeeded.
"""

from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.balance import fraud_warnings, funds, quarrels

Json = dict[str, Any]

AVAILABLE = "available"


def follow(tx: Tx, charge: Json) -> None:
    """`_after` of a charge is what its card does next."""
    after = charge.get("_after", "")
    if claim := quarrels.CLAIMS.get(after):
        quarrels.open_(tx, charge, claim)
    elif after == "warned":
        fraud_warnings.warn(tx, charge)
    elif after == AVAILABLE:
        funds.tell(tx)
