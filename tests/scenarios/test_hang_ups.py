"""Clients that hang up in the middle: no bug of ours, and nothing begun is left undone (F07)."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import structlog

from tests.scenarios.moves import ORDERS, SESSIONS
from tests.scenarios.rows import counted
from tests.scenarios.stage import Stage


async def hang_up_after(
    stage: Stage, sent: bytes, *, length: int, wait_s: float, path: str = ORDERS
) -> None:
    """Send so much of a request and close the connection."""
    host = urlsplit(stage.api_url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    key = stage.merchant.api_key.reveal()
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()
        + sent
    )
    await writer.drain()
    await asyncio.sleep(wait_s)
    writer.close()
    await writer.wait_closed()
    del reader


async def test_a_body_that_ends_early_is_neither_a_bug_nor_an_order(stage: Stage) -> None:
    before = await counted(stage.rt)
    body = json.dumps(stage.wanted()).encode()
    with structlog.testing.capture_logs() as lines:
        for path in (ORDERS, "/psp/stripe/con_01h45ytscbebyvny4gc8cr8ma2/notices"):
            for cut in (0, 1, len(body) // 2, len(body) - 1):
                await hang_up_after(stage, body[:cut], length=len(body), wait_s=0.05, path=path)
        await asyncio.sleep(0.3)
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []
    assert {line["status"] for line in lines if line["event"] == "request"} <= {400, 404}
    assert await counted(stage.rt) == before


async def test_a_registration_goes_on_when_nobody_waits_for_it(stage: Stage) -> None:
    await stage.fault(SESSIONS, "late", delay_s=1)
    wanted = stage.wanted()
    body = json.dumps(wanted).encode()
    await hang_up_after(stage, body, length=len(body), wait_s=0.3)
    order = await _order(stage, wanted["reference"])
    pending = await stage.until(order["id"], "PENDING")
    assert pending["redirect_url"]
    assert len(await stage.sandbox_log(SESSIONS)) == 1


async def _order(stage: Stage, reference: str) -> dict[str, Any]:
    listed: list[dict[str, Any]] = (await stage.get(f"{ORDERS}?reference={reference}")).json["data"]
    (order,) = listed
    return order
