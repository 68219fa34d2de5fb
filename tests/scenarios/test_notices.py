"""What PSPs tell us: verified, kept before it is acknowledged, applied once (F35 to F46)."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants.connections import replace_secret
from payloom.merchants.merchants import create_merchant
from payloom.notices.apply import apply_waiting
from payloom.notices.effect import PARK_FOR
from payloom.runtime import Runtime, running
from tests.scenarios.moves import (
    SECRET,
    SESSIONS,
    advance,
    event,
    made,
    notices,
    rest,
    session_of,
    shown,
    tell,
    token_of,
    until_notices,
)
from tests.scenarios.rows import counted
from tests.scenarios.stage import Stage, connect_psp, fresh_psp_key
from tests.scenarios.telling import (
    COMPLETED,
    DECLINED,
    call,
    check_paid_once,
    lose_notices,
    raw,
    said,
    seen,
    signed,
    until,
)
from tests.scenarios.test_refusals import check_problem

BODY = raw(event("customer.created", {"id": "cus_1", "object": "customer"}))


async def paid_in_silence(stage: Stage) -> dict[str, Any]:
    """An order that is paid at the PSP, whose own calls are lost."""
    await lose_notices(stage)
    order = await made(stage)
    await stage.pay(token_of(order))
    return order


# --- once ------------------------------------------------------------------------------------


async def test_the_same_event_thrice_has_one_effect(stage: Stage) -> None:
    order = await paid_in_silence(stage)
    completed = await said(stage, COMPLETED, order)
    at_once = await asyncio.gather(tell(stage, completed), tell(stage, completed))
    await stage.until(order["id"], "SUCCEEDED")
    replies = [*at_once, await tell(stage, completed)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, b"")] * 3
    assert await seen(stage, completed["id"]) == 3
    (kept,) = await notices(stage, psp_event=completed["id"])
    assert (kept["state"], kept["body"]) == ("applied", raw(completed))
    await check_paid_once(stage, order)


async def test_what_the_psp_sends_twice_has_one_effect(stage: Stage) -> None:
    await stage.fault("/psp/*", "hook_duplicate", count=-1)
    order = await made(stage)
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    completed = await said(stage, COMPLETED, order)

    async def came_twice() -> bool:
        return await seen(stage, completed["id"]) == 2

    await until(came_twice)
    assert len(await notices(stage, psp_event=completed["id"])) == 1
    await check_paid_once(stage, order)


async def test_the_same_fact_under_another_event_id_has_no_second_effect(stage: Stage) -> None:
    order = await paid_in_silence(stage)
    completed = await said(stage, COMPLETED, order)
    for number in range(3):
        await tell(stage, {**completed, "id": f"evt_{number}"})
    await until_notices(stage, "applied", 3, type=COMPLETED)
    remarks = [kept["remark"] for kept in await notices(stage, type=COMPLETED)]
    assert sorted(remarks, key=str) == [None, "known already", "known already"]
    await check_paid_once(stage, order)


# an event of the story, and how it ends
END = {DECLINED: "applied", "payment_intent.succeeded": "ignored", COMPLETED: "applied"}


async def test_events_in_any_order_end_paid(stage: Stage) -> None:
    """A decline on the page, then another card; six ways to hear of it."""
    await lose_notices(stage)
    for order_of_kinds in itertools.permutations(END):
        order = await made(stage)
        await stage.pay(token_of(order), "4000000000000002")
        await stage.pay(token_of(order))
        for kind in order_of_kinds:
            told = await said(stage, kind, order)
            await tell(stage, told)
            await until_notices(stage, END[kind], psp_event=told["id"])
        paid = await shown(stage, order["id"])
        assert (paid["payment_order_status"], paid["last_error"]) == ("SUCCEEDED", None)
        await check_paid_once(stage, order)


async def test_two_workers_at_once_apply_once(stage: Stage, dsn: str) -> None:
    """Each order's fact comes twice: the workers meet at its row."""
    await rest(stage)
    await lose_notices(stage)
    orders = [await made(stage) for _ in range(12)]
    for order in orders:
        await stage.pay(token_of(order))
        completed = await said(stage, COMPLETED, order)
        for copy in (completed, {**completed, "id": completed["id"] + "x"}):
            assert (await tell(stage, copy)).status == 200
    async with running(stage.rt.settings, dsn, stage.rt.master_keys) as other:
        async with asyncio.timeout(20):
            while any([await a_few(stage.rt, other) for _ in range(2)]):
                pass
    for order in orders:
        await check_paid_once(stage, order)
    assert {kept["tries"] for kept in await notices(stage)} == {1}


async def a_few(*runtimes: Runtime) -> int:
    return sum(await asyncio.gather(*(apply_waiting(rt, limit=3) for rt in runtimes)))


# --- at the door -----------------------------------------------------------------------------

NOW = time.time
FORGED: dict[str, Callable[[], str | None]] = {
    "wrong secret": lambda: signed(BODY, secret="whsec_" + "1" * 32),
    "signed for another body": lambda: signed(BODY + b" "),
    "old": lambda: signed(BODY, at=NOW() - 310),
    "future": lambda: signed(BODY, at=NOW() + 310),
    "far future": lambda: signed(BODY, at=99_999_999_999),
    "no header": lambda: None,
    "empty header": lambda: "",
    "no signature": lambda: f"t={int(NOW())}",
    "no timestamp": lambda: signed(BODY).split(",")[1],
    "another scheme": lambda: signed(BODY).replace("v1=", "v0="),
    "another timestamp": lambda: signed(BODY).replace("t=", "t=1"),
    "cut": lambda: signed(BODY)[:-1],
    "no words": lambda: "\u00e9" * 10,
}


async def test_a_forged_notice_is_refused_and_leaves_nothing(stage: Stage) -> None:
    before = await counted(stage.rt)
    for name, header in FORGED.items():
        reply = await call(stage, BODY, header())
        assert check_problem(reply, 400)["code"] == "notice_refused", name
    assert await counted(stage.rt) == before
    assert (await call(stage, BODY, signed(BODY))).status == 200  # it was not the body


async def test_the_clocks_of_psp_and_payloom_may_differ_by_five_minutes(stage: Stage) -> None:
    for seconds in (-290, 290):
        assert (await call(stage, BODY, signed(BODY, at=NOW() + seconds))).status == 200


async def test_business_time_does_not_make_signatures_old(stage: Stage) -> None:
    await advance(stage, 3_600)
    assert (await call(stage, BODY, signed(BODY))).status == 200


async def test_another_psp_and_an_unknown_connection_are_not_found(stage: Stage) -> None:
    connection = ids.text("con", stage.connection_id)
    before = await counted(stage.rt)
    for path in (f"/psp/acme/{connection}/notices",
                 f"/psp/stripe/{ids.text('con', ids.new())}/notices"):  # fmt: skip
        check_problem(await call(stage, BODY, signed(BODY), path=path), 404)
    assert await counted(stage.rt) == before


async def test_every_live_secret_verifies_and_a_replaced_one_no_more(stage: Stage) -> None:
    """The sandbox signs with the second secret of the connection, this test with the first."""
    order = await made(stage)
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")
    completed = await said(stage, COMPLETED, order)
    assert (await seen(stage, completed["id"]), (await tell(stage, completed)).status) == (1, 200)
    assert await seen(stage, completed["id"]) == 2

    fresh = "whsec_" + "2" * 32
    merchant = stage.merchant.merchant_id
    await replace_secret(
        stage.rt, merchant, stage.connection_id, field="webhook_secret", secret=Secret(fresh)
    )
    assert (await tell(stage, completed, secret=SECRET)).status == 400
    assert (await tell(stage, completed, secret=fresh)).status == 200
    again = await made(stage)
    await stage.pay(token_of(again))
    await stage.until(again["id"], "SUCCEEDED")


async def test_a_huge_body_is_refused_before_it_is_read(stage: Stage) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000

    before = await counted(stage.rt)
    huge = b"x" * 1_000_001
    check_problem(await call(stage, huge, signed(huge)), 413, "too_large")
    check_problem(await call(stage, in_pieces(), signed(b"x" * 1_100_000)), 413)
    assert await counted(stage.rt) == before
    largest = raw(event("x", {"text": ""}))
    largest = largest.replace(b'"text": ""', b'"text": "%s"' % (b"x" * (1_000_000 - len(largest))))
    assert (len(largest), (await call(stage, largest, signed(largest))).status) == (1_000_000, 200)


# --- what is not for us ----------------------------------------------------------------------


async def test_kinds_that_move_nothing_are_ignored(stage: Stage) -> None:
    order = await made(stage)
    paid = session_of(order)
    for kind in ("no.such.kind", "customer.created", "charge.succeeded", "checkout.session.x"):
        assert (await tell(stage, event(kind, paid))).status == 200
    await until_notices(stage, "ignored", 4)
    assert await shown(stage, order["id"]) == order


async def test_what_carries_no_id_of_ours_is_not_ours(stage: Stage) -> None:
    order = await made(stage)
    odd: list[Any] = [{}, None, [], {"payloom_attempt": 5}, {"payloom_attempt": "att_x"},
                      {"payloom_attempt": order["id"]}, {"order": "1"}]  # fmt: skip
    for metadata in odd:
        told = event(COMPLETED, session_of(order, metadata=metadata))
        assert (await tell(stage, told)).status == 200, metadata
    await until_notices(stage, "not_ours", len(odd))
    assert await shown(stage, order["id"]) == order


async def test_an_attempt_we_do_not_have_is_waited_for_and_then_not_ours(stage: Stage) -> None:
    order = await made(stage)
    nobody = {"payloom_attempt": ids.text("att", ids.new())}
    told = event(COMPLETED, session_of(order, metadata=nobody))
    await tell(stage, told)
    await until_notices(stage, "stored", remark="names an attempt that we do not have")
    await advance(stage, int(PARK_FOR.total_seconds()) - 60)
    await asyncio.sleep(0.3)
    assert len(await notices(stage, state="stored")) == 1
    await advance(stage, 62)
    await until_notices(stage, "not_ours", psp_event=told["id"])


async def test_another_merchant_cannot_speak_of_our_attempt(stage: Stage, sandbox_url: str) -> None:
    order = await made(stage)
    stranger = await create_merchant(stage.rt, "Stranger", "test")
    con = await connect_psp(stage.rt, stage.http, stranger, api_url=stage.api_url,
                            sandbox_url=sandbox_url, psp_key=fresh_psp_key())  # fmt: skip
    told = event(COMPLETED, session_of(order))
    assert (await tell(stage, told, connection=ids.text("con", con))).status == 200
    await until_notices(stage, "stored", remark="names an attempt that we do not have")
    await advance(stage, 602)
    await until_notices(stage, "not_ours", psp_event=told["id"])
    assert await shown(stage, order["id"]) == order


async def test_another_account_of_the_merchant_is_not_believed(
    stage: Stage, sandbox_url: str
) -> None:
    """Genuine there, but the page is of the first account: that one is asked, and knows better."""
    order = await made(stage)
    con = await connect_psp(stage.rt, stage.http, stage.merchant, api_url=stage.api_url,
                            sandbox_url=sandbox_url, psp_key=fresh_psp_key())  # fmt: skip
    told = event(COMPLETED, session_of(order))
    assert (await tell(stage, told, connection=ids.text("con", con))).status == 200
    await until_notices(stage, "applied", psp_event=told["id"])
    await advance(stage, 2)
    await until(lambda: stage.sandbox_log(f"{SESSIONS}/{token_of(order)}", "GET"))
    assert await shown(stage, order["id"]) == order


UNREADABLE = [b"", b"{", b"null", b"[]", b"{}", b"[" * 100_000,
              raw({"object": "event", "id": "evt_1"}), raw({"object": "event", "type": "x"}),
              raw({**event("x", {}), "id": "evt_\u0000"}), raw({**event("x", {}), "type": 5}),
              raw({**event("x", {}), "id": "e" * 300}),
              raw(event(COMPLETED, {}, livemode=True)), raw(event(COMPLETED, {}, data=None)),
              raw(event(COMPLETED, {}, data={"object": "text"}))]  # fmt: skip


async def test_what_is_genuine_but_unreadable_waits_for_a_person(stage: Stage) -> None:
    for body in UNREADABLE:
        assert (await call(stage, body, signed(body))).status == 200, body[:60]
    await until_notices(stage, "quarantined", len(UNREADABLE))
    kept = await notices(stage)
    assert [each["body"] for each in kept] == UNREADABLE
    assert all(each["remark"] for each in kept)
    for _ in range(2):  # the PSP may well say it again
        await call(stage, b"{", signed(b"{"))
    assert len(await notices(stage)) == len(UNREADABLE)


async def test_a_notice_is_kept_byte_for_byte(stage: Stage) -> None:
    odd = "\r\n " + json.dumps(event("x", {"a": "\u00e9 \u2615"}), indent=3, ensure_ascii=False)
    assert (await call(stage, odd.encode(), signed(odd.encode()))).status == 200
    await until_notices(stage, "ignored")
    assert [kept["body"] for kept in await notices(stage)] == [odd.encode()]
