"""Stripe's side of a webhook delivery: the signed request, and what a 2xx means for the event."""

import hashlib
import hmac
import json
import time

from payloom.sandbox.deliveries import Letter
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.events.emit import COLUMNS, shown

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"

# spread over lines as Stripe does, so that whoever verifies a re-encoded body fails
_dump = json.JSONEncoder(separators=(",\n  ", ": ")).encode


class StripeSender:
    def compose(self, tx: Tx, ref: str, *, forged: bool) -> Letter | None:
        event_id, _, endpoint_id = ref.partition(" ")
        endpoint = tx.load("webhook_endpoint", endpoint_id)
        if endpoint is None or endpoint["status"] != "enabled":
            return None
        row = tx.db.execute(
            f"SELECT {COLUMNS} FROM events WHERE id = ?",  # noqa: S608 our own columns
            (event_id,),
        ).fetchone()
        if row is None:
            return None
        livemode = tx.tenant.livemode
        event = shown(row, livemode=livemode, api_version=endpoint["api_version"], sent=True)
        body = _dump(event).encode()
        secret = "whsec_forged" if forged else endpoint["_secret"]
        return Letter(endpoint["url"], _headers(body, secret), body, event["type"])

    def delivered(self, tx: Tx, ref: str) -> None:
        tx.db.execute(
            "UPDATE events SET undelivered = undelivered - 1 WHERE id = ? AND undelivered > 0",
            (ref.partition(" ")[0],),
        )


def _headers(body: bytes, secret: str) -> dict[str, str]:
    stamp = int(time.time())  # real time: receivers compare it with their own clock
    signed = f"{stamp}.".encode() + body
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={stamp},v1={signature}",
        "User-Agent": USER_AGENT,
    }
