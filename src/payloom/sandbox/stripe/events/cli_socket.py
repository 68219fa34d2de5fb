"""The WebSocket of `stripe listen`: each event goes out as a frame, signed as for an endpoint.

As at Stripe every event comes in the default version and in the latest, and the CLI drops the one
that it was not asked for (`--latest`). Which types it wants (`--events`) it sorts out itself too.
What it is answered by whom it forwards to, it reports; whatever that was, the event is not sent
again: `stripe events resend` does that.
"""

import asyncio
import json
import logging
from typing import Any

from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from payloom.sandbox.listeners import Listener
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.stripe.events import cli_sessions, webhooks
from payloom.sandbox.stripe.protocol import versions
from payloom.sandbox.stripe.protocol.ids import new_id

log = logging.getLogger(__name__)

SUBPROTOCOL = "stripecli-devproxy-v1"
_UNKNOWN = {"error": {"type": "invalid_request_error", "message": "Unknown WebSocket ID."}}
_VERSIONS = (None, versions.LATEST)  # None: the account's default


def route(rt: Runtime) -> WebSocketRoute:
    async def listen(socket: WebSocket) -> None:
        name = socket.headers.get("websocket-id", "")
        tenant = rt.store.owner(name)
        if tenant is None or not name.startswith("cliws_"):
            await socket.send_denial_response(JSONResponse(_UNKNOWN, 401))
            return
        offered = socket.scope["subprotocols"]
        await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        await _converse(rt, socket, rt.tenants.get(tenant), name)

    return WebSocketRoute(cli_sessions.SOCKET, listen)


async def _converse(rt: Runtime, socket: WebSocket, tenant: Tenant, name: str) -> None:
    with rt.listeners.open(tenant, name, copies=len(_VERSIONS)) as listener:
        sending = asyncio.create_task(_send(rt, socket, tenant, listener))
        try:
            while (message := await socket.receive())["type"] == "websocket.receive":
                _hear(listener, message.get("text") or "")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(rt: Runtime, socket: WebSocket, tenant: Tenant, listener: Listener) -> None:
    try:
        while True:
            event_id = await listener.next()
            for version in _VERSIONS:
                frame = _frame(rt, tenant, event_id, version)
                if frame is not None:
                    await socket.send_text(frame)
    except WebSocketDisconnect:
        return  # whoever reads hears of it too
    except Exception:
        log.exception("a listener can be told nothing more")
        await socket.close(1011)


def _frame(rt: Runtime, tenant: Tenant, event_id: str, version: str | None) -> str | None:
    """The event as the CLI forwards it; None when it was forgotten meanwhile."""
    event = webhooks.event_text(rt.open_tx(tenant, rt.now(tenant)), event_id, version)
    if event is None:
        return None
    body = event[1]
    key = cli_sessions.secret(rt.store.secret, tenant.id)
    return json.dumps(
        {
            "type": "webhook_event",
            "endpoint": {"api_version": version},
            "event_payload": body.decode(),
            "http_headers": webhooks.headers(body, [key]),
            "webhook_conversation_id": new_id("wc"),
            "webhook_id": new_id("wh"),
        }
    )


def _hear(listener: Listener, text: str) -> None:
    """What the CLI says: it has an event, or what became of one."""
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(said, dict):
        return
    if said.get("type") == "event_ack":
        listener.heard(str(said.get("event_id")))
    elif said.get("type") == "webhook_response":
        url, status = str(said.get("forward_url"))[:200], str(said.get("status"))[:20]
        log.info("a listener forwarded an event to %s, which answered %s", url, status)
