"""What a page says that is not open any more: paid, on its way, failed, or expired."""

from typing import Any

Json = dict[str, Any]


def success_url(session: Json) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def closed(session: Json, intent: Json, path: str) -> tuple[int, Json]:
    """Status and notice. Wherever it leads, nothing is charged again."""
    back = {"link": session.get("cancel_url"), "link_text": "Back to the shop", "tone": "over"}
    onward = {"link": success_url(session), "link_text": "Continue to the shop", "tone": "good"}
    if session["status"] == "expired":
        text = "The time to pay is over. Nothing was charged. Go back to the shop to try again."
        return 410, {**back, "title": "This page has expired", "text": text}
    if session["mode"] == "setup":
        text = "Your payment method is saved. There is nothing more to do."
        return 200, {**onward, "title": "Already saved", "text": text}
    if session["payment_status"] != "unpaid":
        text = "This payment is complete. You have not been charged again."
        return 200, {**onward, "title": "Already paid", "text": text}
    if intent.get("status") == "processing":
        text = "Your bank has been asked to pay, which takes some days. There is nothing to do."
        return 200, {**onward, "title": "Your payment is on its way", "text": text}
    if intent.get("status") == "requires_action":
        text = "Nothing is charged here. Pay with the number that you were given."
        voucher = {"link": f"{path}/voucher", "link_text": "Show the number", "tone": "over"}
        return 200, {**voucher, "title": "Waiting to be paid", "text": text}
    text = "The payment did not arrive. Go back to the shop to try again."
    return 200, {**back, "title": "This payment failed", "text": text}
