"""Shaped like PayPal: the shopper approves, and the money moves when we capture."""

from datetime import timedelta

from payloom.connectors.contract import Outcome, Refused, Registered, Rendered, Unknown
from payloom.connectors.spec import CredentialField, Spec
from tests.connectors.fakes.base import Fake
from tests.connectors.fakes.wire import Json

WORDS = {"open": "CREATED", "approved": "APPROVED", "paid": "COMPLETED", "over": "VOIDED"}
_STATES = {theirs: ours for ours, theirs in WORDS.items()}


class PayPalLike(Fake):
    signature_header = "paypal-like-signature"

    async def register(self, rendered: Rendered) -> Registered | Refused | Unknown:
        made = await super().register(rendered)
        if isinstance(made, Registered):
            return Registered(made.token, f"{made.url}?useraction=commit")
        return made

    def outcome(self, told: Json) -> Outcome:
        return super().outcome({**told, "state": _STATES.get(told["state"], told["state"])})


SPEC = Spec(
    name="paypal_like",
    title="PayPal-like",
    credential_fields=(CredentialField("api_key", "PAYPAL_LIKE_KEY", r"\w+", "a key"),),
    build=PayPalLike,
    key_window=timedelta(hours=6),  # its keys live shorter than others'
)
