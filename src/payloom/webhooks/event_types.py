"""Every type of event, and what it says. An endpoint may ask for some of them, or for all."""

EVENT_TYPES: dict[str, str] = {
    "payment_order.registered": "The PSP made the hosted page; the shopper may pay.",
    "payment_order.processing": "The shopper is done; a bank is not.",
    "payment_order.authorized": "The money is reserved and can be captured.",
    "payment_order.succeeded": "The order is paid. Sent once per order.",
    "payment_order.late_success": "The money came after the order had failed or expired; "
    "sent besides `payment_order.succeeded`.",
    "payment_order.failed": "The attempt was refused or failed; a new one may be made.",
    "payment_order.canceled": "The order was canceled before it was paid.",
    "payment_order.expired": "The hosted page ran out of time unpaid.",
    "payment_order.duplicate_payment_returned": "A second payment, or one for a canceled order, "
    "was returned to the shopper.",
    "payment_order.attention": "Something does not fit and a person must look; "
    "`attention` says what.",
    "refund.succeeded": "The refund left for the shopper.",
    "refund.failed": "The refund could not be made; the money is still here.",
    "dispute.opened": "The shopper's bank claims the money back.",
    "dispute.won": "The dispute was decided for the merchant.",
    "dispute.lost": "The dispute was decided for the shopper.",
    "dispute.closed": "The dispute ended without a decision.",
    "settlement.reconciled": "Every line of a PSP's settlement was matched with the books.",
    "reconciliation.discrepancy": "The PSP's report and the books disagree about something.",
    "webhook_endpoint.disabled": "An endpoint failed for days, or answered 410, and was switched "
    "off; told to the others.",
}
