"""Money that moved: the balance and its transactions, refunds, disputes and payouts."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Usual

EVIDENCE_FILES = tuple(
    """
    cancellation_policy customer_communication customer_signature duplicate_charge_documentation
    receipt refund_policy service_documentation shipping_documentation uncategorized_file""".split()
)
EVIDENCE = tuple(
    """
    access_activity_log appeal billing_address cancellation_policy cancellation_policy_disclosure
    cancellation_rebuttal customer_communication customer_email_address customer_name
    customer_purchase_ip customer_signature duplicate_charge_documentation
    duplicate_charge_explanation duplicate_charge_id enhanced_evidence product_description receipt
    refund_policy refund_policy_disclosure refund_refusal_explanation service_date
    service_documentation shipping_address shipping_carrier shipping_date shipping_documentation
    shipping_tracking_number uncategorized_file uncategorized_text""".split()
)
_ENHANCED = ("mastercard_compliance", "visa_compelling_evidence_3", "visa_compliance")

FIELDS: Fields = {
    "balance": """
        available connect_reserved instant_available issuing livemode pending
        refund_and_dispute_prefunding""",
    "bank_account": """
        account account_holder_name account_holder_type account_type available_payout_methods
        bank_name country currency customer default_for_currency fingerprint future_requirements
        last4 metadata requirements routing_number status""",
    "dispute": """
        amount balance_transactions charge created currency enhanced_eligibility_types evidence
        evidence_details intended_submission_method is_charge_refundable livemode metadata
        network_reason_code payment_intent payment_method_details reason status""",
    "payout": """
        amount application_fee application_fee_amount arrival_date automatic balance_transaction
        created currency description destination failure_balance_transaction failure_code
        failure_message livemode metadata method original_payout payout_method
        reconciliation_status reversed_by source_type statement_descriptor status trace_id
        type""",
    "radar.early_fraud_warning": """
        actionable charge created fraud_type livemode payment_intent""",
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
    "bank_account": {"metadata": {}},
    "dispute": {
        "enhanced_eligibility_types": [],
        "evidence": {
            **dict.fromkeys(EVIDENCE),
            "enhanced_evidence": dict.fromkeys(_ENHANCED),
        },
        "evidence_details": {
            "due_by": None,
            "enhanced_eligibility": dict.fromkeys(_ENHANCED),
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": None,
        },
        "metadata": {},
    },
    "payout": {
        "automatic": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "not_applicable",
        "source_type": "card",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    },
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
    "balance": {},
    "balance_transaction": {"source": "charge refund dispute payout"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "payout": {
        "balance_transaction": "balance_transaction",
        "destination": "bank_account",
        "failure_balance_transaction": "balance_transaction",
        "application_fee": None,
        "original_payout": None,
        "reversed_by": None,
    },
    "radar.early_fraud_warning": {"charge": "charge", "payment_intent": "payment_intent"},
}
