"""What a test is handed: a Stripe account at the sandbox, and all there is to do with it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import stripe

from payloom.testing.control import Control
from payloom.testing.shopper import VISA, Paid, Shopper


@dataclass(frozen=True, slots=True)
class StripeSandbox:
    """One account. Hand `url` and `key` to the code under test, as its API base and secret key."""

    url: str
    key: str
    client: stripe.StripeClient  # never repeats a call by itself: each ordered fault is seen
    control: Control  # faults, clock, log, deliveries, reset
    shopper: Shopper

    @classmethod
    @contextmanager
    def opened(cls, url: str, key: str | None = None) -> Iterator[Self]:
        """An account of the sandbox at `url`: a new one, unless its key is given."""
        key = key or f"sk_test_{secrets.token_hex(12)}"
        http = stripe.RequestsClient()
        client = stripe.StripeClient(
            key, base_addresses={"api": url}, max_network_retries=0, http_client=http
        )
        try:
            yield cls(url, key, client, Control(url, key), Shopper())
        finally:
            http.close()  # type: ignore[no-untyped-call]  # the SDK declares no types here

    def pay(self, session_url: str | None, card: str = VISA, *, authenticates: bool = True) -> Paid:
        """Pay on a session's hosted page, as a shopper would: `pay(session.url)`."""
        return self.shopper.pay(session_url or "", card, authenticates=authenticates)
