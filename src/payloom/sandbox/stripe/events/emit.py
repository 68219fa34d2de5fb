"""Events: written with the change they tell of, frozen as the object was at that moment."""

import json
from typing import Any

from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.protocol import versions
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import public, render

Json = dict[str, Any]

_dump = json.JSONEncoder(separators=(",", ":")).encode

WEBHOOK = "stripe.webhook"  # kind of the timers that deliver


def emit(tx: Tx, type_: str, kind: str, kept: Json, *, previous: Json | None = None) -> str:
    """Tell of a change, to every endpoint that wants the type and who listens; the event's id."""
    id_ = new_id("evt")
    wanting = [e["id"] for e in _endpoints(tx) if wants(e, type_)]
    body = {
        "kind": kind,
        "object": public(kept),
        "request": tx.cause,
        "sent_to": len(wanting),
    }
    if previous is not None:
        body["previous"] = previous
    text = _dump(body)
    tx.db.execute(
        "INSERT INTO events (tenant, id, type, created, undelivered, body) VALUES (?,?,?,?,?,?)",
        (tx.tenant.id, id_, type_, int(tx.now), len(wanting), text),
    )
    for endpoint in wanting:
        tx.deliver(tx, WEBHOOK, f"{id_} {endpoint}")
    tx.announce(tx, id_)
    return id_


def emit_update(tx: Tx, type_: str, kind: str, before: Json, after: Json) -> None:
    """Tell what an update changed; where nothing did, Stripe tells nothing."""
    if previous := _previous(render(kind, before), render(kind, after)):
        emit(tx, type_, kind, after, previous=previous)


def _previous(before: Json, after: Json) -> Json:
    """`previous_attributes`: what was there before, down to the names that changed."""
    found: Json = {}
    for name in (*after, *(name for name in before if name not in after)):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            if inner := _previous(old, new):
                found[name] = inner
        elif old != new:
            found[name] = old
    return found


def wants(endpoint: Json, type_: str) -> bool:
    enabled = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or type_ in enabled)


def shown(
    row: tuple[Any, ...], *, livemode: bool, api_version: str | None = None, sent: bool = False
) -> Json:
    """The event from its row (id, type, created, undelivered, body).

    A sent one says how many endpoints it went to, whenever it is sent: its bytes never change.
    """
    id_, type_, created, undelivered, body = row
    kept = json.loads(body)
    data: Json = {"object": render(kept["kind"], kept["object"])}
    if "previous" in kept:
        data["previous_attributes"] = kept["previous"]
    return render(
        "event",
        {
            "id": id_,
            "api_version": api_version or versions.DEFAULT,
            "created": created,
            "data": data,
            "livemode": livemode,
            "pending_webhooks": kept["sent_to"] if sent else undelivered,
            "request": kept["request"],
            "type": type_,
        },
    )


COLUMNS = "id, type, created, undelivered, body"


def _endpoints(tx: Tx) -> list[Json]:
    if "endpoints" not in tx.memo:
        rows = tx.db.execute(
            "SELECT body FROM objects WHERE tenant = ? AND kind = 'webhook_endpoint'",
            (tx.tenant.id,),
        )
        tx.memo["endpoints"] = [json.loads(body) for (body,) in rows]
    endpoints: list[Json] = tx.memo["endpoints"]
    return endpoints
