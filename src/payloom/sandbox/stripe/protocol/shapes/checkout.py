"""Checkout sessions."""

from payloom.sandbox.stripe.protocol.shapes.card_options import CARD_OPTIONS
from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Json, Usual

FIELDS: Fields = {
    "checkout.session": """
        adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types
        amount_subtotal amount_total automatic_tax billing_address_collection branding_settings
        cancel_url client_reference_id client_secret collected_information consent
        consent_collection created currency currency_conversion custom_fields custom_text customer
        customer_account customer_creation customer_details customer_email discounts
        excluded_payment_method_types expires_at integration_identifier invoice invoice_creation
        line_items livemode locale managed_payments metadata mode name_collection optional_items
        origin_context payment_intent payment_link payment_method_collection
        payment_method_configuration_details payment_method_options payment_method_types
        payment_status permissions phone_number_collection presentment_details recovered_from
        redirect_on_completion return_url saved_payment_method_options setup_intent
        shipping_address_collection shipping_cost shipping_options status submit_type subscription
        success_url tax_id_collection total_details ui_mode url wallet_options""",
}
_AUTOMATIC_TAX = {"enabled": False, "liability": None, "provider": None, "status": None}
_INVOICE_DATA: Json = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}
_CUSTOM_TEXT = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")


def session_card_options(three_d_secure: str | None = None) -> Json:
    options: Json = dict.fromkeys([*CARD_OPTIONS, "restrictions"])
    return {"card": options | {"request_three_d_secure": three_d_secure or "automatic"}}


USUAL: Usual = {
    "checkout.session": {
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": _AUTOMATIC_TAX,
        "custom_fields": [],
        "custom_text": dict.fromkeys(_CUSTOM_TEXT),
        "customer_creation": "if_required",
        "discounts": [],
        "invoice_creation": {"enabled": False, "invoice_data": _INVOICE_DATA},
        "managed_payments": {"enabled": False},
        "payment_method_collection": "if_required",
        "payment_method_options": session_card_options(),
        "payment_method_types": ["card"],
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
    },
}
EXPANDABLE: Expandable = {
    "checkout.session": {
        "payment_intent": "payment_intent",
        "line_items": "item",
        "customer": "customer",
        "invoice": None,
        "payment_link": None,
        "setup_intent": "setup_intent",
        "subscription": None,
    },
}
