"""Whole payments at PSPs of other shapes: one that waits for us to capture, one that cannot be
asked and wants a signed reply, one whose failed payments may be paid days later.

Their connectors are handed to the runtime as those of `connectors/` are; nothing is patched.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from payloom.connectors.spec import Spec
from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants.connections import add_connection
from tests.connectors.conformance.fake_rig import FakeRig
from tests.connectors.conformance.rig import Told
from tests.connectors.fakes import paypal_like, razorpay_like, trustly_like
from tests.connectors.fakes.psp import FakePsp, open_psp
from tests.scenarios.moves import ORDERS, advance, causes, events, postings, token_of
from tests.scenarios.stage import Reply, Stage
from tests.scenarios.telling import until

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Other:
    """A connection of the stage's merchant to a PSP of another shape."""

    stage: Stage
    rig: FakeRig
    connection: str

    async def made(self) -> dict[str, Any]:
        wanted = self.stage.wanted(psp=self.rig.spec.name)
        reply = await self.stage.post(ORDERS, wanted)
        assert reply.status == 201, reply.body
        order: dict[str, Any] = reply.json
        return order

    async def tell(self, order: dict[str, Any]) -> Reply:
        """The PSP's notice of how the payment stands now."""
        held = self.rig.psp.payments[token_of(order)]
        what = {"id": ids.text("evt", ids.new()), "type": "payment", **self.rig.psp.told(held)}
        return await self.send(self.rig.sign(json.dumps(what).encode()))

    async def send(self, told: Told) -> Reply:
        path = f"/psp/{self.rig.spec.name}/{self.connection}/notices"
        return await self.stage.send("POST", path, key=None, data=told.body, headers=told.headers)


@asynccontextmanager
async def connected(stage: Stage, spec: Spec, **shape: Any) -> AsyncIterator[Other]:
    words = paypal_like.WORDS if spec is paypal_like.SPEC else {}
    async with open_psp(lambda: FakePsp(words=words)) as psp:
        stage.rt.specs[spec.name] = spec
        stage.is_psp_forged = True  # the sandbox is no witness of what happens elsewhere
        connection = await add_connection(
            stage.rt,
            stage.merchant.merchant_id,
            spec.name,
            {"api_key": Secret(psp.secret)},
            api_base=psp.url,
        )
        yield Other(stage, FakeRig(spec, psp, **shape), ids.text("con", connection))


async def check_paid(stage: Stage, order: dict[str, Any], *more: str) -> None:
    await stage.until(order["id"], "SUCCEEDED")
    assert await events(stage, order["id"]) == ["registered", *more, "succeeded"]
    assert await postings(stage, order["id"]) == [("captured", 4999)]


async def test_money_that_the_shopper_approved_is_taken_by_us(stage: Stage) -> None:
    async with connected(stage, paypal_like.SPEC, shoppers_approve=True) as psp:
        order = await psp.made()
        await psp.rig.approve(token_of(order))
        assert (await psp.tell(order)).status == 200
        await check_paid(stage, order, "processing")
        assert psp.rig.psp.payments[token_of(order)].state == "paid"
        assert ("Approved", "notice") in await causes(stage, order["id"])


async def test_a_capture_whose_answer_is_lost_is_made_once(stage: Stage) -> None:
    async with connected(stage, paypal_like.SPEC, shoppers_approve=True) as psp:
        order = await psp.made()
        await psp.rig.approve(token_of(order))
        await psp.rig.fault("complete", "apply_then_drop")
        await psp.tell(order)
        await stage.until(order["id"], "PROCESSING")

        async def is_asked() -> bool:
            return sum("complete" in key for key in psp.rig.psp.executed) == 1

        await until(is_asked)
        await advance(stage, 31)
        await check_paid(stage, order, "processing")
        assert sum("complete" in key for key in psp.rig.psp.executed) == 1


async def test_a_notice_gets_the_signed_reply_that_its_psp_wants(stage: Stage) -> None:
    async with connected(stage, trustly_like.SPEC) as psp:
        order = await psp.made()
        await psp.rig.approve(token_of(order))
        reply = await psp.tell(order)
        told = json.loads(reply.body)
        signed = psp.rig.sign(json.dumps(told["result"], sort_keys=True).encode())
        assert told["signature"] in signed.headers.values()
        assert told["result"]["status"] == "OK"
        await check_paid(stage, order)


async def test_a_shopper_who_returns_before_a_psp_that_cannot_be_asked_is_sent_on(
    stage: Stage,
) -> None:
    async with connected(stage, trustly_like.SPEC) as psp:
        order = await psp.made()
        back = psp.rig.psp.payments[token_of(order)].asked["back"]
        reply = await stage.send("GET", back.removeprefix(stage.api_url), key=None)
        assert (reply.status, "payment_order_status=PENDING" in reply.headers["location"]) == (
            303, True,
        )  # fmt: skip
        await psp.rig.approve(token_of(order))
        await psp.tell(order)
        await check_paid(stage, order)


async def test_a_shopper_who_returns_by_post_is_believed_as_little(stage: Stage) -> None:
    async with connected(stage, razorpay_like.SPEC) as psp:
        order = await psp.made()
        back = psp.rig.psp.payments[token_of(order)].asked["back"]
        form = {"razorpay_payment_id": "pay_1", "razorpay_signature": "0" * 64}
        path = back.removeprefix(stage.api_url)
        reply = await stage.send("POST", path, key=None, data=form)
        assert "payment_order_status=PENDING" in reply.headers["location"]
        await psp.rig.approve(token_of(order))
        reply = await stage.send("POST", path, key=None, data=form)
        assert "payment_order_status=SUCCEEDED" in reply.headers["location"]
        await check_paid(stage, order)


async def test_what_failed_and_is_paid_days_later_is_found_without_a_word_of_the_psp(
    stage: Stage,
) -> None:
    async with connected(stage, razorpay_like.SPEC) as psp:
        order = await psp.made()
        psp.rig.psp.move(token_of(order), "failed")
        await psp.tell(order)
        await stage.until(order["id"], "FAILED")
        for _ in range(3):
            await advance(stage, DAY_S)
            await look_ups_are_done(stage)
        psp.rig.psp.move(token_of(order), "paid")
        await advance(stage, DAY_S)
        await stage.until(order["id"], "SUCCEEDED")
        assert (await causes(stage, order["id"]))[-1] == ("Paid", "look_up")
        assert (await events(stage, order["id"]))[-2:] == ["succeeded", "late_success"]


async def look_ups_are_done(stage: Stage) -> None:
    async def is_quiet() -> bool:
        async with stage.rt.db.statement() as tx:
            return not await tx.fetchval(
                "SELECT count(*) FROM jobs WHERE kind = 'look_up' AND run_at <= $1",
                stage.rt.clock(),
            )

    await until(is_quiet)


async def test_each_psp_takes_the_orders_that_name_it_and_another_attempt_may_change(
    stage: Stage,
) -> None:
    async with connected(stage, razorpay_like.SPEC) as psp:
        order = (await stage.post(ORDERS, stage.wanted(psp="stripe"))).json
        assert order["psp"] == "stripe"
        path = f"{ORDERS}/{order['id']}/attempts"
        again = (await stage.post(path, {"psp": "razorpay_like"})).json
        assert again["psp"] == "razorpay_like"
        assert [each["psp"] for each in again["attempts"]] == ["stripe", "razorpay_like"]
        assert [each["state"] for each in again["attempts"]] == ["CANCELED", "OPEN"]
        await psp.rig.approve(token_of(again))
        await psp.tell(again)
        await stage.until(order["id"], "SUCCEEDED")
