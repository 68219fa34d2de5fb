"""Stripe Checkout, hosted page: registers sessions, reads their state and their events."""

from datetime import timedelta

from payloom.connectors.pace import Rates
from payloom.connectors.spec import CredentialField, ReadAllowance, Spec
from payloom.connectors.stripe.connector import StripeConnector
from payloom.connectors.stripe.methods import METHOD_TYPES

# https://docs.stripe.com/rate-limits; Stripe raises them for who asks six weeks ahead.
RATES = {"test": Rates(account=25, endpoint=25), "live": Rates(account=100, endpoint=25)}

CONNECTOR = Spec(
    name="stripe",
    title="Stripe Checkout",
    credential_fields=(
        CredentialField(
            "api_key",
            "STRIPE_API_KEY",
            r"(sk|rk)_{mode}_\w{12,250}",
            "a secret or restricted key like sk_{mode}_…",
        ),
        CredentialField(
            "webhook_secret",
            "STRIPE_WEBHOOK_SECRET",
            r"whsec_[\w+/=]{12,250}",
            "the endpoint's signing secret like whsec_…",
        ),
    ),
    build=StripeConnector,
    key_window=timedelta(hours=24),
    can_list_events=True,
    rates=RATES,
    # https://docs.stripe.com/rate-limits: 500 reads a transaction, at least 10,000 a month.
    reads=ReadAllowance(500, 10_000, timedelta(days=30)),
    method_types={kind: tuple(methods) for kind, methods in METHOD_TYPES.items()},
)
