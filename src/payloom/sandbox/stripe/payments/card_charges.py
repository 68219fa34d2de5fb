"""What a charge of a card says of the card, and of why it went well or not."""

from typing import Any

from payloom.sandbox.stripe.methods.cards import Card
from payloom.sandbox.stripe.payments.charges import outcome
from payloom.sandbox.stripe.protocol.errors import Failure

Json = dict[str, Any]

_OFF = {"status": "unavailable"}
_SCORES = {"normal": 12, "elevated": 70, "highest": 95}


def card_details(intent: Json, method: Json, card: Card, *, flow: str) -> Json:
    """`flow`: how 3-D Secure went, see `_THREE_D_SECURE`; empty where nobody asked for it."""
    amount = intent["amount"]
    kept = method["card"]
    return {
        "amount_authorized": amount,
        "authorization_code": None if card.decline else "S00000",
        "brand": kept["brand"],
        "capture_before": None,
        "checks": _checks(method, card),
        "country": kept["country"],
        "description": None,
        "electronic_commerce_indicator": None,
        "exp_month": kept["exp_month"],
        "exp_year": kept["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": kept["fingerprint"],
        "funding": kept["funding"],
        "iin": None,
        "incremental_authorization": _OFF,
        "installments": None,
        "issuer": None,
        "last4": kept["last4"],
        "mandate": None,
        "moto": None,
        "multicapture": _OFF,
        "network": kept["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, **_OFF},
        "regulated_status": kept["regulated_status"],
        "setup_credential_usage": None,
        "stored_credential_usage": None,
        "three_d_secure": _three_d_secure(flow, kept["brand"]) if flow else None,
        "transaction_link_id": None,
        "wallet": kept["wallet"],
    }


def _checks(method: Json, card: Card) -> Json:
    """What the bank says of what was given besides the number; nothing of what was not."""
    address = method["billing_details"]["address"]
    given = {
        "address_line1_check": address["line1"],
        "address_postal_code_check": address["postal_code"],
        "cvc_check": method["card"]["checks"]["cvc_check"],
    }
    failed = dict(card.checks)
    if card.decline is not None and card.decline.code == "incorrect_cvc":
        failed["cvc_check"] = "fail"
    return {name: value and failed.get(name, "pass") for name, value in given.items()}


# flow → authentication_flow, result and result_reason of the SDK's class
_THREE_D_SECURE = {
    "challenge": ("challenge", "authenticated", None),
    "frictionless": ("frictionless", "authenticated", None),
    "not_enrolled": (None, "attempt_acknowledged", "card_not_enrolled"),
}


def _three_d_secure(flow: str, brand: str) -> Json:
    how, result, reason = _THREE_D_SECURE[flow]
    authenticated, attempted = ("02", "01") if brand == "mastercard" else ("05", "06")
    return {
        "authentication_flow": how,
        "electronic_commerce_indicator": (
            authenticated if result == "authenticated" else attempted
        ),
        "exemption_indicator": None,
        "exemption_indicator_applied": None,
        "result": result,
        "result_reason": reason,
        "transaction_id": None,
        "version": "2.2.0",
    }


def card_outcome(card: Card, decline: Failure | None = None) -> Json:
    """What was decided of a try by this card, and why it was declined, if it was."""
    risk = {"risk_level": card.risk, "risk_score": _SCORES[card.risk]}
    if decline is None:
        return outcome("authorized", "approved_by_network", "Payment complete.", **risk)
    risk["advice_code"] = decline.advice_code
    if decline.decline_code == "fraudulent":
        message = "Stripe blocked this payment as too risky."
        return outcome(
            "blocked", "not_sent_to_network", message, reason="highest_risk_level", **risk
        )
    message = "The bank returned a decline code."
    return outcome(
        "issuer_declined", "declined_by_network", message, reason=decline.decline_code, **risk
    )
