"""The WebSocket of `stripe listen`, as a client of our own sees it that misbehaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.sandbox.merchant import Json, Merchant
from tests.sandbox.process import Start

EXPIRED = "checkout.session.expired"
PROTOCOL = "stripecli-devproxy-v1"


async def sign_in(merchant: Merchant) -> Json:
    form = {"device_name": "desk", "websocket_features[]": "webhooks"}
    status, session, _ = await merchant.post("/v1/stripecli/sessions", form)
    assert status == 200
    return session


@asynccontextmanager
async def connected(
    merchant: Merchant, session: Json
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = f"{session['websocket_url']}?websocket_feature=webhooks"
    headers = {"Websocket-Id": session["websocket_id"]}
    async with merchant.http.ws_connect(url, headers=headers, protocols=[PROTOCOL]) as socket:
        assert socket.protocol == PROTOCOL
        yield socket


async def heard(socket: aiohttp.ClientWebSocketResponse, *, acknowledge: bool = True) -> Json:
    """The next event, in the default version and in the latest."""
    frames: list[Json] = [await socket.receive_json(timeout=5) for _ in range(2)]
    assert [frame["endpoint"]["api_version"] for frame in frames] == [None, "2026-10-28.endive"]
    events: list[Json] = [json.loads(frame["event_payload"]) for frame in frames]
    assert [event["api_version"] for event in events] == [
        "2026-08-26.dahlia",
        "2026-10-28.endive",
    ]
    for frame, event in zip(frames, events, strict=True):
        if acknowledge:
            about = {"webhook_conversation_id": frame["webhook_conversation_id"]}
            await socket.send_json({"type": "event_ack", "event_id": event["id"], **about})
    return events[0]


async def expire(merchant: Merchant) -> str:
    session = await merchant.order()
    await merchant.sessions.expire_async(session.id)
    return str(session.id)


async def test_a_session_tells_where_to_listen(merchant: Merchant) -> None:
    session = await sign_in(merchant)
    assert session["websocket_url"].startswith(f"ws{merchant.url.removeprefix('http')}/")
    assert (session["default_version"], session["latest_version"]) == (
        "2026-08-26.dahlia",
        "2026-10-28.endive",
    )
    assert session["websocket_authorized_feature"] == "webhooks"
    assert session["display_connect_filter_warning"] is False
    assert session["reconnect_delay"] > 0


async def test_what_happens_while_it_reconnects_is_heard_after_it(merchant: Merchant) -> None:
    session = await sign_in(merchant)
    async with connected(merchant, session) as socket:
        first = await expire(merchant)
        assert (await heard(socket))["data"]["object"]["id"] == first
        await settled(socket)
    second = await expire(merchant)
    async with connected(merchant, session) as socket:
        assert (await heard(socket))["data"]["object"]["id"] == second


async def test_what_was_not_acknowledged_is_heard_again(merchant: Merchant) -> None:
    session = await sign_in(merchant)
    async with connected(merchant, session) as socket:
        await expire(merchant)
        missed = await heard(socket, acknowledge=False)
    async with connected(merchant, session) as socket:
        assert await heard(socket) == missed
        await settled(socket)
    async with connected(merchant, session) as socket:
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.2)


async def settled(socket: aiohttp.ClientWebSocketResponse) -> None:
    """What was said on this socket has been read: a pong comes after it."""
    await socket.ping()
    await asyncio.sleep(0.1)


async def test_another_account_hears_nothing_of_it(merchant: Merchant) -> None:
    other = Merchant(merchant.url, merchant.http)
    async with connected(other, await sign_in(other)) as socket:
        await expire(merchant)
        mine = await expire(other)
        assert (await heard(socket))["data"]["object"]["id"] == mine


@pytest.mark.parametrize("name", ["", "cliws_none", "cs_1"])
async def test_an_unknown_listener_is_told_to_sign_in_anew(merchant: Merchant, name: str) -> None:
    """These are the words at which the CLI does."""
    session = await sign_in(merchant)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Websocket-Id": name,
    }
    url = "http" + session["websocket_url"].removeprefix("ws")
    async with merchant.http.get(url, headers=headers) as answer:
        body = await answer.json()
    assert (answer.status, body["error"]["message"]) == (401, "Unknown WebSocket ID.")


async def test_a_listener_may_come_back_after_a_restart(
    start: Start, store: Path, http: aiohttp.ClientSession
) -> None:
    process = start(store)
    session = await sign_in(Merchant(process.url, http, "sk_test_restarted123"))
    process.kill()
    process = start(store, process.port)
    merchant = Merchant(process.url, http, "sk_test_restarted123")
    async with connected(merchant, session) as socket:
        expired = await expire(merchant)
        assert (await heard(socket))["data"]["object"]["id"] == expired
    assert (await sign_in(merchant))["secret"] == session["secret"]


async def test_noise_on_the_socket_does_not_hurt(merchant: Merchant) -> None:
    async with connected(merchant, await sign_in(merchant)) as socket:
        for noise in ("", "[", "[]", "7", '{"type": 7}', '{"type": "event_ack"}', "[" * 9_999):
            await socket.send_str(noise)
        await socket.send_bytes(b"\xff\x00")
        response: Any = {"type": "webhook_response", "status": 500, "forward_url": None}
        await socket.send_json(response)
        await expire(merchant)
        assert (await heard(socket))["type"] == EXPIRED


async def test_a_message_of_ten_megabytes_closes_the_socket_only(merchant: Merchant) -> None:
    async with connected(merchant, await sign_in(merchant)) as socket:
        await socket.send_str("x" * (2 * 2**20))
        assert (await socket.receive(timeout=5)).type in (
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.ERROR,
        )
    assert (await merchant.order()).status == "open"


async def test_other_features_are_refused(merchant: Merchant) -> None:
    for feature in ("request_logs", "v2_events"):
        form = {"device_name": "desk", "websocket_features[]": feature}
        status, body, _ = await merchant.post("/v1/stripecli/sessions", form)
        assert (status, body["error"]["param"]) == (400, "websocket_features[0]")
        assert feature in body["error"]["message"]


async def test_a_socket_elsewhere_is_404(merchant: Merchant) -> None:
    for path in ("/v1/events", "/elsewhere", "/healthz"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await merchant.http.ws_connect(merchant.url + path)
        assert refused.value.status in (403, 404)
