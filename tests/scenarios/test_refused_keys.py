"""The PSP refuses our API key while orders come in: nothing fails, everything waits (F25)."""

from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants.connections import replace_secret
from tests.scenarios.moves import ORDERS, SESSIONS, job_runs_now, made, shown, token_of
from tests.scenarios.stage import Stage
from tests.scenarios.telling import until


async def roll(stage: Stage) -> str:
    """A second key of the account at the PSP."""
    key: str = (await stage.sandbox("POST", "/_sandbox/keys"))["key"]
    return key


async def end(stage: Stage) -> None:
    """The first key ends at the PSP; we speak with the second from now on."""
    await stage.sandbox("DELETE", "/_sandbox/keys")


async def mend(stage: Stage, key: str) -> None:
    stage.psp_key = key
    await replace_secret(
        stage.rt, stage.merchant.merchant_id, stage.connection_id, field="api_key",
        secret=Secret(key),
    )  # fmt: skip
    await job_runs_now(stage)


async def registered(stage: Stage, order: dict[str, Any]) -> None:
    await until(lambda: _has_page(stage, order))


async def _has_page(stage: Stage, order: dict[str, Any]) -> bool:
    return bool((await shown(stage, order["id"]))["redirect_url"])


def refused() -> float:
    return REGISTRY.get_sample_value("payloom_psp_keys_refused_total", {"psp": "stripe"}) or 0.0


async def test_an_order_waits_for_a_new_key_and_is_registered_once(stage: Stage) -> None:
    fresh = await roll(stage)
    await end(stage)
    before = refused()
    with capture_logs() as lines:
        reply = await stage.post(ORDERS, stage.wanted())
    assert (reply.status, reply.json["payment_order_status"]) == (202, "CREATED")
    assert refused() > before
    told = next(line for line in lines if line["event"] == "psp.key_refused")
    assert told["log_level"] == "error"
    assert told["connection"] == ids.text("con", stage.connection_id)
    assert (told["verb"], told["status"]) == ("register", 401)
    assert stage.psp_key not in str(lines)

    await mend(stage, fresh)
    await registered(stage, reply.json)
    assert (await shown(stage, reply.json["id"]))["payment_order_status"] == "PENDING"
    executed = [each for each in await stage.sandbox_log(SESSIONS) if each["status"] == 200]
    assert len(executed) == 1


async def test_an_open_page_outlives_the_key_that_opened_it(stage: Stage) -> None:
    order = await made(stage)
    fresh = await roll(stage)
    await end(stage)
    stage.psp_key = fresh  # the shopper is nobody's key
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.pay(token_of(order))
    await job_runs_now(stage)
    before = refused()
    await until(lambda: _was_refused_since(before))
    assert (await shown(stage, order["id"]))["payment_order_status"] == "PENDING"
    await mend(stage, fresh)
    await stage.until(order["id"], "SUCCEEDED")


async def _was_refused_since(before: float) -> bool:
    return refused() > before


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_may_not_is_told_in_every_verb(stage: Stage, status: int) -> None:
    order = await made(stage)
    for method, path in (
        ("POST", SESSIONS),
        ("GET", f"{SESSIONS}/{token_of(order)}"),
    ):
        await stage.fault(path, "status", status=status, method=method)
    with capture_logs() as lines:
        reply = await stage.post(ORDERS, stage.wanted())
        assert reply.status == 202
        await job_runs_now(stage)
        await until(lambda: _told(lines, "look_up"))
    assert {line["status"] for line in lines if line["event"] == "psp.key_refused"} == {status}
    await job_runs_now(stage)
    await registered(stage, reply.json)


async def _told(lines: Any, verb: str) -> bool:
    return any(line["event"] == "psp.key_refused" and line["verb"] == verb for line in lines)
