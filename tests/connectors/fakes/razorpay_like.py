"""Shaped like Razorpay: the shopper comes back by POST, and what failed may be paid days later."""

from datetime import timedelta

from payloom.connectors.spec import CredentialField, Spec
from tests.connectors.fakes.base import Fake


class RazorpayLike(Fake):
    signature_header = "x-razorpay-like-signature"


SPEC = Spec(
    name="razorpay_like",
    title="Razorpay-like",
    credential_fields=(CredentialField("api_key", "RAZORPAY_LIKE_KEY", r"\w+", "a key"),),
    build=RazorpayLike,
    key_window=timedelta(hours=24),
    money_may_come_after=timedelta(days=5),  # late authorisations
)
