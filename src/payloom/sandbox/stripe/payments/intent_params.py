"""The parameters of a payment intent's calls, by API version."""

from collections.abc import Mapping
from functools import cache

from payloom.sandbox.stripe.catalog.currencies import check_currency
from payloom.sandbox.stripe.catalog.shipping import check_shipping
from payloom.sandbox.stripe.methods.options import METHOD_TYPES, OPTIONS
from payloom.sandbox.stripe.protocol import params, versions

CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
USAGES = ("off_session", "on_session")
REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
METHODS = params.list_of(params.one_of(*METHOD_TYPES))

# of how it is paid: what every call may name
_PAYING: dict[str, params.Check] = {
    "allowed_payment_method_types": METHODS,
    "capture_method": params.one_of(*CAPTURE_METHODS),
    "excluded_payment_method_types": METHODS,
    "expand": params.EXPAND,
    "payment_method": params.text(),
    "payment_method_data": params.anything,  # checked as a payment method that is made
    "payment_method_options": OPTIONS,
    "receipt_email": params.text(800, may_be_empty=True),
    "setup_future_usage": params.one_of(*USAGES),
    "shipping": check_shipping,
}
# and of what effect there is none here
_IDLE = ("amount_details", "hooks", "payment_details")
# of what it is: given when it is made, or changed later
_BEING: dict[str, params.Check] = {
    "amount": params.integer(1),
    "application_fee_amount": params.integer(0),
    "currency": check_currency,
    "customer": params.text(),
    "customer_account": params.text(),
    "description": params.text(1000, may_be_empty=True),
    "metadata": params.metadata,
    "payment_method_configuration": params.text(),
    "statement_descriptor": params.text(22),
    "statement_descriptor_suffix": params.text(22),
    "transfer_data": params.anything,
    "transfer_group": params.text(),
}
# of a confirmation
_CONFIRMING: dict[str, params.Check] = {
    "confirmation_token": params.text(),
    "error_on_requires_action": params.boolean,
    "mandate": params.text(),
    "mandate_data": params.anything,
    "off_session": params.one_of("true", "false", "one_off", "recurring"),
    "radar_options": params.anything,
    "return_url": params.url,
    "use_stripe_sdk": params.boolean,
}
AUTOMATIC = params.hash_of(
    {"allow_redirects": params.one_of("always", "never"), "enabled": params.boolean},
    required=("enabled",),
)
_ANY_OF_THESE = dict.fromkeys(_IDLE, params.anything)

CAPTURE: dict[str, params.Check] = {
    **dict.fromkeys((*_IDLE[::2], "transfer_data"), params.anything),
    "amount_to_capture": params.integer(1),
    "application_fee_amount": params.integer(0),
    "expand": params.EXPAND,
    "final_capture": params.boolean,
    "metadata": params.metadata,
    "statement_descriptor": params.text(22),
    "statement_descriptor_suffix": params.text(22),
}
CANCEL: dict[str, params.Check] = {
    "cancellation_reason": params.one_of(*REASONS),
    "expand": params.EXPAND,
}


@cache
def create(version: str) -> Mapping[str, params.Check]:
    return {
        **update(version),
        **_CONFIRMING,
        "automatic_payment_methods": AUTOMATIC,
        "confirm": params.boolean,
        "confirmation_method": params.one_of("automatic", "manual"),
        "metadata": params.new_metadata,
        "on_behalf_of": params.text(),
    }


@cache
def update(version: str) -> Mapping[str, params.Check]:
    return {**_ANY_OF_THESE, **_PAYING, **_BEING, **_types(version)}


@cache
def confirm(version: str) -> Mapping[str, params.Check]:
    more = {"amount_to_confirm": params.integer(1)}
    return {**_ANY_OF_THESE, **_PAYING, **_CONFIRMING, **_types(version), **more}


def _types(version: str) -> Mapping[str, params.Check]:
    if versions.takes_payment_method_types(version):
        return {"payment_method_types": METHODS}
    return {"payment_method_types": params.no_longer("payment_method_types")}
