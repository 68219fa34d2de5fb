"""The parameters of a checkout session, by API version."""

from collections.abc import Mapping
from functools import cache

from payloom.sandbox.stripe.catalog.currencies import check_currency
from payloom.sandbox.stripe.catalog.line_items import LINE_ITEMS
from payloom.sandbox.stripe.catalog.shipping import check_shipping
from payloom.sandbox.stripe.methods.options import METHOD_TYPES, OPTIONS
from payloom.sandbox.stripe.protocol import params, versions

LOCALES = tuple(
    (
        "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hi-IN hr hu id it ja ko lt lv "
        "ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
    ).split()
)
_METHODS = params.list_of(params.one_of(*METHOD_TYPES))
_ENABLED = params.hash_of({"enabled": params.boolean})

# a payment intent's fields that its session sets
_INTENT_DATA = params.hash_of(
    {
        "application_fee_amount": params.integer(0),
        "capture_method": params.one_of("automatic", "automatic_async", "manual"),
        "description": params.text(1000),
        "metadata": params.new_metadata,
        "on_behalf_of": params.text(),
        "receipt_email": params.text(800),
        "setup_future_usage": params.one_of("off_session", "on_session"),
        "shipping": check_shipping,
        "statement_descriptor": params.text(22),
        "statement_descriptor_suffix": params.text(22),
        "transfer_data": params.anything,
        "transfer_group": params.text(),
    }
)
_AUTO = params.one_of("auto", "never")
_ACTING: dict[str, params.Check] = {
    "adaptive_pricing": _ENABLED,
    "automatic_tax": params.hash_of({"enabled": params.boolean, "liability": params.anything}),
    "allowed_payment_method_types": _METHODS,
    "branding_settings": params.hash_of(
        {
            **dict.fromkeys(("background_color", "button_color"), params.text(20)),
            **dict.fromkeys(("border_style", "font_family"), params.text(50)),
            **dict.fromkeys(("icon", "logo"), params.anything),
            "display_name": params.text(100),
        }
    ),
    "billing_address_collection": params.one_of("auto", "required"),
    "cancel_url": params.url,
    "client_reference_id": params.text(200),
    "currency": check_currency,
    "customer": params.text(),
    "customer_creation": params.one_of("always", "if_required"),
    "customer_email": params.text(800),
    "customer_update": params.hash_of(dict.fromkeys(("address", "name", "shipping"), _AUTO)),
    "excluded_payment_method_types": _METHODS,
    "expand": params.EXPAND,
    "expires_at": params.integer(0),
    "integration_identifier": params.text(200),
    "invoice_creation": params.hash_of(
        {"enabled": params.boolean, "invoice_data": params.anything}, required=("enabled",)
    ),
    "line_items": LINE_ITEMS,
    "locale": params.one_of(*LOCALES),
    "metadata": params.new_metadata,
    "mode": params.one_of("payment", "setup", "subscription"),
    "origin_context": params.one_of("mobile_app", "web"),
    "payment_intent_data": _INTENT_DATA,
    "payment_method_options": OPTIONS,
    "redirect_on_completion": params.one_of("always", "if_required", "never"),
    "return_url": params.url,
    "setup_intent_data": params.hash_of(
        {
            "description": params.text(1000),
            "metadata": params.new_metadata,
            "on_behalf_of": params.text(),
        }
    ),
    "submit_type": params.one_of("auto", "book", "donate", "pay", "subscribe"),
    "success_url": params.url,
}
# Stripe's, but of no effect on this page
_IDLE = (
    "after_expiration allow_promotion_codes consent_collection "
    "custom_fields custom_text customer_account discounts "
    "managed_payments name_collection optional_items payment_method_collection "
    "payment_method_configuration payment_method_data permissions phone_number_collection "
    "saved_payment_method_options shipping_address_collection shipping_options "
    "subscription_data tax_id_collection wallet_options"
).split()

UPDATE: dict[str, params.Check] = {"metadata": params.metadata, "expand": params.EXPAND}
EXPIRE: dict[str, params.Check] = {"expand": params.EXPAND}
RETRIEVE: dict[str, params.Check] = {"expand": params.EXPAND}
FILTERS: dict[str, params.Check] = {
    "customer": params.text(),
    "customer_account": params.text(),
    "customer_details": params.hash_of({"email": params.text()}),
    "payment_intent": params.text(),
    "payment_link": params.text(),
    "status": params.one_of("complete", "expired", "open"),
    "subscription": params.text(),
}


@cache
def create(version: str) -> Mapping[str, params.Check]:
    fields = {**dict.fromkeys(_IDLE, params.anything), **_ACTING}
    fields["ui_mode"] = params.one_of(*versions.ui_modes(version))
    if versions.takes_payment_method_types(version):
        fields["payment_method_types"] = _METHODS
    return fields
