"""A short story that passes every place where a bug is planted; run as a process of its own.

It asserts nothing: what went wrong is for the invariants to say. The last line it prints is JSON:
what was red, and what happened at all.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import payloom
from payloom.core.crypto import new_key
from payloom.core.master_keys import MasterKeys
from payloom.core.migrate import migrate
from payloom.runtime import running
from payloom.settings import Settings
from tests.scenarios.invariants import SESSIONS, broken_invariants, restless, table
from tests.scenarios.moves import event, tell
from tests.scenarios.stage import Stage, open_stage
from tests.webhooks.receiver import open_receiver

ORDERS = "/v1/payment-orders"
PATIENCE_S = 6.0
PAYS_LATE = "4000000000009912"


async def main() -> dict[str, Any]:
    """Play it, judge it; what is to be told."""
    await migrate(os.environ["STORY_OWNER_DSN"])
    settings = Settings.from_env({"PAYLOOM_WEBHOOKS_TO_LOOPBACK": "yes", "HOME": "."})
    async with (
        running(settings, os.environ["STORY_APP_DSN"], MasterKeys([new_key()])) as rt,
        open_stage(rt, os.environ["STORY_SANDBOX_URL"]) as stage,
        open_receiver() as receiver,
    ):
        await stage.post("/v1/webhook-endpoints", {"url": receiver.url})
        statuses = [
            await a_shop_that_asks_twice_is_paid(stage),
            await a_payment_in_yen(stage),
            await an_answer_that_never_came(stage),
            await a_shopper_who_returns_unpaid(stage),
            await a_page_that_is_paid_after_its_order_was_canceled(stage),
        ]
        await a_notice_that_somebody_else_signed(stage)
        findings = [*await restless(stage), *await broken_invariants(stage)]
        if findings:
            print(table(findings))
        return {
            "payloom": str(Path(payloom.__file__).parent),
            "red": sorted({finding.invariant for finding in findings}),
            "statuses": statuses,
            "deliveries": len(receiver.got),
        }


async def a_shop_that_asks_twice_is_paid(stage: Stage) -> str:
    wanted = stage.wanted()
    order = (await stage.post(ORDERS, wanted, **{"Idempotency-Key": "first"})).json
    await stage.post(ORDERS, wanted)
    await stage.pay(order["attempts"][0]["token"])
    return await status_after(stage, order, "PENDING")


async def a_payment_in_yen(stage: Stage) -> str:
    order = (await stage.post(ORDERS, stage.wanted(amount=500, currency="JPY"))).json
    await stage.pay(order["attempts"][0]["token"])
    return await status_after(stage, order, "PENDING")


async def an_answer_that_never_came(stage: Stage) -> str:
    """The PSP makes the page, its answer is lost: nobody knows, until it is asked again."""
    fault = {"path": SESSIONS, "method": "POST", "count": 1, "effect": "apply_then_drop"}
    await stage.sandbox("POST", "/_sandbox/faults", json=fault)
    answer = (await stage.post(ORDERS, stage.wanted())).json
    order = {"id": answer.get("payment_order", answer.get("id"))}  # a refusal names it otherwise
    return await status_after(stage, order, "CREATED")


async def a_shopper_who_returns_unpaid(stage: Stage) -> str:
    """To the URL that means success, which proves nothing."""
    order = (await stage.post(ORDERS, stage.wanted())).json
    session = await stage.sandbox("GET", f"{SESSIONS}/{order['attempts'][0]['token']}")
    async with stage.http.get(session["success_url"], allow_redirects=False):
        pass
    return str((await stage.get(f"{ORDERS}/{order['id']}")).json["payment_order_status"])


async def a_page_that_is_paid_after_its_order_was_canceled(stage: Stage) -> str:
    order = (await stage.post(ORDERS, stage.wanted())).json
    await stage.post(f"{ORDERS}/{order['id']}/cancel", {})
    await stage.pay(order["attempts"][0]["token"], PAYS_LATE)
    for _ in range(int(PATIENCE_S / 0.05)):
        events = (await stage.get(f"/v1/events?payment_order={order['id']}")).json["data"]
        if len(events) == 3:
            break
        await asyncio.sleep(0.05)
    return str((await stage.get(f"{ORDERS}/{order['id']}")).json["payment_order_status"])


async def a_notice_that_somebody_else_signed(stage: Stage) -> None:
    """Of a kind that moves nothing, so that only its being there is wrong."""
    forged = event("customer.created", {"id": "cus_1", "object": "customer"})
    stage.forged.add(forged["id"])
    await tell(stage, forged, secret="whsec_" + "1" * 32)


async def status_after(stage: Stage, order: dict[str, Any], status: str) -> str:
    """The next status of the order; the same one if it does not change for a long time."""
    for _ in range(int(PATIENCE_S / 0.05)):
        now: str = (await stage.get(f"{ORDERS}/{order['id']}")).json["payment_order_status"]
        if now != status:
            return now
        await asyncio.sleep(0.05)
    return status


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
