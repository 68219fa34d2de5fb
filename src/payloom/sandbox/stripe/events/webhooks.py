"""Stripe's side of a webhook delivery: the signed request, its tries, and what they mean."""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any

from payloom.sandbox.deliveries import Letter
from payloom.sandbox.store import Tenant, Tx
from payloom.sandbox.stripe.events import endpoint_secrets
from payloom.sandbox.stripe.events.emit import COLUMNS, shown

Json = dict[str, Any]

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
# docs.stripe.com/webhooks: for up to three days with growing pauses, and in a sandbox three times
# over a few hours; how long each pause is, it does not say
LIVE_PAUSES_S = (
    *(5, 30, 120, 600, 1_800, 3_600),
    *(3 * 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600, 24 * 3_600),
)
TEST_PAUSES_S = (5, 1_800, 3 * 3_600)

# spread over lines as Stripe does, so that whoever verifies a re-encoded body fails
_dump = json.JSONEncoder(separators=(",\n  ", ": ")).encode


class StripeSender:
    """Webhooks that go out by themselves, when an event happens."""

    def compose(self, tx: Tx, ref: str, *, forged: bool) -> Letter | None:
        event_id, _, endpoint_id = ref.partition(" ")
        endpoint = tx.load("webhook_endpoint", endpoint_id)
        if endpoint is None or endpoint["status"] != "enabled":
            return None
        event = event_text(tx, event_id, endpoint["api_version"])
        if event is None:
            return None
        type_, body = event
        keys = ["whsec_forged"] if forged else endpoint_secrets.valid(endpoint, tx.now)
        return Letter(endpoint["url"], headers(body, keys), body, type_)

    def pauses_s(self, tenant: Tenant) -> Sequence[int]:
        return LIVE_PAUSES_S if tenant.livemode else TEST_PAUSES_S

    def delivered(self, tx: Tx, ref: str) -> None:
        _count_down(tx, ref.partition(" ")[0])

    def gave_up(self, tx: Tx, ref: str) -> None:
        _note(tx, ref, "lost", unless="resent")


class ResentSender(StripeSender):
    """Webhooks that somebody asked for: tried once, and whatever was to come still comes."""

    def pauses_s(self, tenant: Tenant) -> Sequence[int]:
        return ()

    def delivered(self, tx: Tx, ref: str) -> None:
        _note(tx, ref, "resent", unless="lost")

    def gave_up(self, tx: Tx, ref: str) -> None:
        return


def event_text(tx: Tx, event_id: str, api_version: str | None) -> tuple[str, bytes] | None:
    """Type and body of an event as it is sent; the bytes are the same at every try."""
    row = tx.db.execute(
        f"SELECT {COLUMNS} FROM events WHERE id = ? AND tenant = ?",  # noqa: S608 our own columns
        (event_id, tx.tenant.id),
    ).fetchone()
    if row is None:
        return None
    event = shown(row, livemode=tx.tenant.livemode, api_version=api_version, sent=True)
    return event["type"], _dump(event).encode()


def headers(body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """One signature for each secret that is valid now."""
    stamp = int(time.time())  # real time: receivers compare it with their own clock
    signed = f"{stamp}.".encode() + body
    signatures = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    return {
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": ",".join([f"t={stamp}", *(f"v1={each}" for each in signatures)]),
        "User-Agent": USER_AGENT,
    }


def _count_down(tx: Tx, event_id: str) -> None:
    tx.db.execute(
        "UPDATE events SET undelivered = undelivered - 1 WHERE id = ? AND undelivered > 0",
        (event_id,),
    )


def _note(tx: Tx, ref: str, name: str, *, unless: str) -> None:
    """Remember how a delivery ended; an endpoint that is in both lists has the event after all."""
    event_id, _, endpoint_id = ref.partition(" ")
    row = tx.db.execute("SELECT body FROM events WHERE id = ?", (event_id,)).fetchone()
    if row is None:
        return
    kept: Json = json.loads(row[0])
    if endpoint_id in kept.get(name, ()):
        return
    kept.setdefault(name, []).append(endpoint_id)
    text = json.dumps(kept, separators=(",", ":"))
    tx.db.execute("UPDATE events SET body = ? WHERE id = ?", (text, event_id))
    if endpoint_id in kept.get(unless, ()):
        _count_down(tx, event_id)
