"""Shaped like Trustly: no call tells how a payment stands, and a notice wants a signed reply.

See the PSP's own words on notifications: until it gets the reply it expects, it sends again.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from payloom.connectors.contract import AttemptRef, Outcome, Reading, Unknown
from payloom.connectors.spec import CredentialField, Spec
from tests.connectors.fakes.base import Fake


class TrustlyLike(Fake):
    async def look_up(self, ref: AttemptRef) -> Outcome:
        return Unknown("this PSP tells by itself, and cannot be asked")

    async def expire(self, ref: AttemptRef) -> Outcome:
        return Unknown("this PSP's pages end by themselves")

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Reading:
        reading = super().read_notice(headers, body, now)
        told = {"status": "OK", "uuid": reading.notices[0].psp_event}
        signed = json.dumps(told, sort_keys=True)
        reply = json.dumps({"result": told, "signature": self.sign(signed.encode())})
        return replace(reading, reply_body=reply.encode())


SPEC = Spec(
    name="trustly_like",
    title="Trustly-like",
    credential_fields=(CredentialField("api_key", "TRUSTLY_LIKE_KEY", r"\w+", "a key"),),
    build=TrustlyLike,
    key_window=timedelta(hours=24),
    can_look_up=False,
)
