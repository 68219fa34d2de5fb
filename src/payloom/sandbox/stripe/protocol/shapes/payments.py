"""Payment intents and charges."""

from payloom.sandbox.stripe.protocol.shapes.card_options import CARD_OPTIONS
from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Json, Usual

FIELDS: Fields = {
    "payment_intent": """
        allowed_payment_method_types amount amount_capturable amount_details amount_received
        application application_fee_amount automatic_payment_methods canceled_at
        cancellation_reason capture_method client_secret confirmation_method created currency
        customer customer_account description excluded_payment_method_types hooks
        last_payment_error latest_charge livemode managed_payments metadata next_action
        on_behalf_of payment_details payment_method payment_method_configuration_details
        payment_method_options payment_method_types payment_record presentment_details processing
        receipt_email review setup_future_usage shipping source statement_descriptor
        statement_descriptor_suffix status transfer_data transfer_group""",
    "charge": """
        amount amount_captured amount_refunded application application_fee application_fee_amount
        authorization_code balance_transaction billing_details calculated_statement_descriptor
        captured created currency customer description disputed failure_balance_transaction
        failure_code failure_message fraud_details level3 livemode metadata on_behalf_of outcome
        paid payment_intent payment_method payment_method_details presentment_details
        radar_options receipt_email receipt_number receipt_url refunded refunds review shipping
        source source_transfer statement_descriptor statement_descriptor_suffix status transfer
        transfer_data transfer_group""",
}
_AMOUNT_DETAILS = ("discount_amount", "error", "line_items", "shipping", "tax")


def intent_card_options(three_d_secure: str = "automatic") -> Json:
    more = "mandate_options network require_cvc_recollection setup_credential_usage"
    options: Json = dict.fromkeys([*CARD_OPTIONS, *more.split(), "stored_credential_usage"])
    return {"card": options | {"request_three_d_secure": three_d_secure}}


USUAL: Usual = {
    "payment_intent": {
        "amount_capturable": 0,
        "amount_details": {**dict.fromkeys(_AMOUNT_DETAILS), "tip": {"amount": None}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "payment_method_options": intent_card_options(),
        "payment_method_types": ["card"],
    },
    "charge": {
        "amount_captured": 0,
        "amount_refunded": 0,
        "captured": False,
        "disputed": False,
        "fraud_details": {"stripe_report": None, "user_report": None},
        "paid": False,
        "radar_options": {"session": None},
        "refunded": False,
    },
}
EXPANDABLE: Expandable = {
    "payment_intent": {
        "latest_charge": "charge",
        "payment_method": "payment_method",
        "customer": "customer",
        "application": None,
        "on_behalf_of": None,
        "review": None,
        "source": None,
    },
    "charge": {
        "balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "application": None,
        "application_fee": None,
        "customer": "customer",
        "failure_balance_transaction": None,
        "on_behalf_of": None,
        "refunds": "refund",
        "review": None,
        "source_transfer": None,
        "transfer": None,
    },
}
