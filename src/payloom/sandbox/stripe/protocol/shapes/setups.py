"""Setup intents, their attempts, and the mandates that some of them leave."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Json, Usual

FIELDS: Fields = {
    "setup_intent": """
        allowed_payment_method_types application attach_to_self automatic_payment_methods
        cancellation_reason client_secret created customer customer_account description
        excluded_payment_method_types flow_directions last_setup_error latest_attempt livemode
        managed_payments mandate metadata next_action on_behalf_of payment_method
        payment_method_configuration_details payment_method_options payment_method_types
        single_use_mandate status usage""",
    "setup_attempt": """
        application attach_to_self created customer customer_account flow_directions livemode
        on_behalf_of payment_method payment_method_details setup_error setup_intent status usage""",
    "mandate": """
        customer_acceptance livemode multi_use on_behalf_of payment_method payment_method_details
        single_use status type""",
}


def setup_card_options(three_d_secure: str | None = None) -> Json:
    options: Json = dict.fromkeys(("mandate_options", "network", "setup_credential_usage"))
    return {"card": options | {"request_three_d_secure": three_d_secure or "automatic"}}


USUAL: Usual = {
    "setup_intent": {
        "metadata": {},
        "payment_method_options": setup_card_options(),
        "payment_method_types": ["card"],
        "usage": "off_session",
    },
    "mandate": {"multi_use": {"amount": None, "currency": None}, "type": "multi_use"},
}
EXPANDABLE: Expandable = {
    "setup_intent": {
        "application": None,
        "customer": "customer",
        "latest_attempt": "setup_attempt",
        "mandate": "mandate",
        "on_behalf_of": None,
        "payment_method": "payment_method",
        "single_use_mandate": None,
    },
    "setup_attempt": {
        "application": None,
        "customer": "customer",
        "on_behalf_of": None,
        "payment_method": "payment_method",
        "setup_intent": "setup_intent",
    },
    "mandate": {"payment_method": "payment_method"},
}
