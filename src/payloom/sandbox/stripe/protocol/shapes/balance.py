"""Money that moved: refunds and balance transactions."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Usual

FIELDS: Fields = {
    "refund": """
        amount balance_transaction charge created currency customer customer_account description
        destination_details failure_balance_transaction failure_reason instructions_email metadata
        next_action payment_intent payment_method pending_reason presentment_details reason
        receipt_number source_transfer_reversal status transfer_reversal""",
    "balance_transaction": """
        amount available_on balance_type created currency description exchange_rate fee fee_details
        net reporting_category source status type""",
}
USUAL: Usual = {
    "balance_transaction": {"balance_type": "payments"},
}
EXPANDABLE: Expandable = {
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
        "customer": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
    },
    "balance_transaction": {"source": "charge refund"},
}
