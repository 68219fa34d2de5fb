"""A shop gives money back: all of it, parts, too much, without an answer, late failures (F61, F64,
F65), and what somebody gives back at the PSP without us."""

import asyncio
from typing import Any

import pytest

from tests.scenarios.moves import (
    ORDERS,
    SESSIONS,
    advance,
    causes,
    event,
    events,
    job_runs_now,
    made,
    postings,
    shown,
    tell,
    token_of,
)
from tests.scenarios.stage import Reply, Stage
from tests.scenarios.telling import until

AT_PSP = "/v1/refunds"
PENDING_CARD, FAILING_CARD = "4000000000007726", "4000000000005126"
KEY = "Idempotency-Key"


async def paid(stage: Stage, card: str = "4242424242424242", **changes: Any) -> dict[str, Any]:
    order = await made(stage, **changes)
    await stage.pay(token_of(order), card)
    return await stage.until(order["id"], "SUCCEEDED")


async def refund(stage: Stage, order: dict[str, Any], **body: Any) -> Reply:
    return await stage.post(f"{ORDERS}/{order['id']}/refunds", body)


async def until_status(stage: Stage, refund_id: str, status: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def is_there() -> bool:
        found.update((await stage.get(f"/v1/refunds/{refund_id}")).json)
        return bool(found["status"] == status)

    await until(is_there)
    return found


async def all_refunds(stage: Stage, order: dict[str, Any]) -> list[dict[str, Any]]:
    listed = (await stage.get(f"/v1/refunds?payment_order={order['id']}&limit=100")).json
    return list(reversed(listed["data"]))


async def at_psp(stage: Stage) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await stage.sandbox("GET", f"{AT_PSP}?limit=100"))["data"]
    return listed


async def balances(stage: Stage) -> dict[str, int]:
    """What stands in each account; what is zero is left out."""
    accounts = (await stage.get("/v1/ledger/accounts")).json["data"]
    return {each["code"]: each["balance"] for each in accounts if each["balance"]}


# --- what a shop gives back --------------------------------------------------------------------


async def test_all_of_a_payment_is_given_back(stage: Stage) -> None:
    order = await paid(stage)
    reply = await refund(stage, order, reason="duplicate", metadata={"ticket": "T-1"})
    assert reply.status == 201
    back = reply.json
    assert reply.headers["location"] == f"/v1/refunds/{back['id']}"
    assert {key: back[key] for key in ("payment_order", "status", "amount", "currency")} == {
        "payment_order": order["id"],
        "status": "SUCCEEDED",
        "amount": 4999,
        "currency": "EUR",
    }
    assert (back["reason"], back["origin"], back["metadata"]) == (
        "duplicate", "request", {"ticket": "T-1"},
    )  # fmt: skip
    now = await shown(stage, order["id"])
    assert (now["payment_order_status"], now["amount_captured"], now["amount_refunded"]) == (
        "SUCCEEDED", 4999, 4999,
    )  # fmt: skip
    assert await postings(stage, order["id"]) == [
        ("refund_succeeded", 4999), ("refund_started", 4999), ("captured", 4999),
    ]  # fmt: skip
    assert await balances(stage) == {}
    assert (await events(stage, order["id"]))[-1] == "refund.succeeded"
    (theirs,) = await at_psp(stage)
    assert (theirs["id"], theirs["amount"], theirs["reason"]) == (
        back["psp_refund"], 4999, "duplicate",
    )  # fmt: skip
    assert (await stage.get(f"/v1/refunds/{back['id']}")).json == back


async def test_the_event_tells_the_refund_as_the_api_shows_it(stage: Stage) -> None:
    order = await paid(stage)
    back = (await refund(stage, order, amount=1)).json
    told = (await stage.get(f"/v1/events?payment_order={order['id']}")).json["data"]
    assert told[0]["type"] == "refund.succeeded"
    assert told[0]["data"] == back


async def test_parts_are_given_back_until_nothing_is_left(stage: Stage) -> None:
    order = await paid(stage)
    first = (await refund(stage, order, amount=1000)).json
    second = (await refund(stage, order, amount=3000)).json
    too_much = await refund(stage, order, amount=1000)
    assert (too_much.status, too_much.json["code"]) == (422, "amount_too_large")
    assert too_much.json["errors"] == [
        {"field": "amount", "message": "at most 9.99 EUR is left of this payment order"}
    ]
    rest = (await refund(stage, order)).json
    assert [first["amount"], second["amount"], rest["amount"]] == [1000, 3000, 999]
    nothing = await refund(stage, order)
    assert (nothing.status, nothing.json["code"]) == (409, "not_refundable")
    assert [each["id"] for each in await all_refunds(stage, order)] == [
        first["id"], second["id"], rest["id"],
    ]  # fmt: skip
    assert len(await at_psp(stage)) == 3
    assert (await shown(stage, order["id"]))["amount_refunded"] == 4999


@pytest.mark.parametrize(("amount", "currency", "part"), [(500, "JPY", 120), (1230, "KWD", 450)])
async def test_parts_in_the_psps_scale(stage: Stage, amount: int, currency: str, part: int) -> None:
    order = await paid(stage, amount=amount, currency=currency)
    back = (await refund(stage, order, amount=part)).json
    assert (back["status"], back["amount"]) == ("SUCCEEDED", part)
    (theirs,) = await at_psp(stage)
    assert theirs["amount"] == part
    assert (await shown(stage, order["id"]))["amount_refunded"] == part


async def test_what_the_psp_cannot_give_back_is_refused_before_anything_is_written(
    stage: Stage,
) -> None:
    order = await paid(stage, amount=1230, currency="KWD")
    reply = await refund(stage, order, amount=455)  # Stripe wants the last digit to be 0
    assert (reply.status, reply.json["code"]) == (422, "amount_not_supported")
    assert await all_refunds(stage, order) == []


async def test_what_was_not_paid_is_not_given_back(stage: Stage) -> None:
    order = await made(stage)
    reply = await refund(stage, order)
    assert (reply.status, reply.json["code"]) == (409, "not_refundable")
    assert "PENDING" in reply.json["detail"]
    assert (await refund(stage, {"id": "po_00000000000000000000000000"})).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"amount": 0}, {"amount": -1}, {"amount": 1.5}, {"amount": "1"}, {"amount": True},
        {"amount": 10**16}, {"currency": "USD"}, {"reason": "because"}, {"metadata": {"a": 1}},
        {"metadata": {"card": "4242424242424242"}},
    ],
)  # fmt: skip
async def test_a_refund_that_means_nothing_is_refused(stage: Stage, body: dict[str, Any]) -> None:
    order = await paid(stage)
    assert (await refund(stage, order, **body)).status == 422
    assert await all_refunds(stage, order) == []


async def test_the_same_key_gives_back_once(stage: Stage) -> None:
    order = await paid(stage)
    path, body = f"{ORDERS}/{order['id']}/refunds", {"amount": 1000}
    first = await stage.post(path, body, **{KEY: "k"})
    again = await stage.post(path, body, **{KEY: "k"})
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    other = await stage.post(path, {"amount": 1001}, **{KEY: "k"})
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert len(await all_refunds(stage, order)) == 1


# --- at once -----------------------------------------------------------------------------------


async def test_of_two_refunds_of_60_on_100_one_wins(stage: Stage) -> None:
    order = await paid(stage, amount=10_000)
    replies = await asyncio.gather(*(refund(stage, order, amount=6_000) for _ in range(2)))
    assert sorted(reply.status for reply in replies) == [201, 422]
    assert [each["amount"] for each in await at_psp(stage)] == [6_000]


async def test_500_refunds_of_1_on_100_give_back_exactly_100(stage: Stage) -> None:
    order = await paid(stage, amount=100)
    replies = await asyncio.gather(*(refund(stage, order, amount=1) for _ in range(500)))
    given_back = [reply for reply in replies if reply.status in (201, 202)]
    assert len(given_back) == 100
    assert {reply.status for reply in replies if reply not in given_back} <= {409, 422}

    async def is_whole() -> bool:
        return bool((await shown(stage, order["id"]))["amount_refunded"] == 100)

    await until(is_whole)
    assert len(await at_psp(stage)) == 100


# --- without an answer -------------------------------------------------------------------------


@pytest.mark.parametrize("effect", ["drop", "apply_then_drop", "truncate"])
async def test_a_refund_without_an_answer_is_made_once(stage: Stage, effect: str) -> None:
    order = await paid(stage)
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.fault(AT_PSP, effect, method="POST")
    reply = await refund(stage, order, amount=1000)
    assert (reply.status, reply.json["status"]) == (202, "REQUESTED")
    assert reply.headers["retry-after"] == "1"
    nothing_more = await refund(stage, order, amount=4000)
    assert (nothing_more.status, nothing_more.json["code"]) == (422, "amount_too_large")
    await advance(stage, 16)
    back = await until_status(stage, reply.json["id"], "SUCCEEDED")
    (theirs,) = await at_psp(stage)
    assert theirs["id"] == back["psp_refund"]
    assert len({each["idempotency_key"] for each in await stage.sandbox_log(AT_PSP)}) == 1
    assert (await shown(stage, order["id"]))["amount_refunded"] == 1000


@pytest.mark.parametrize("effect", ["drop", "apply_then_drop"])
async def test_the_same_key_after_an_unknown_outcome_finds_the_same_refund(
    stage: Stage, effect: str
) -> None:
    """A 202 is kept under no key: who repeats the request must not get another refund."""
    order = await paid(stage)
    path, body = f"{ORDERS}/{order['id']}/refunds", {"amount": 1000}
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.fault(AT_PSP, effect, method="POST", count=2)
    first = await stage.post(path, body, **{KEY: "k"})
    other = await stage.post(path, {"amount": 1001}, **{KEY: "k"})
    again = await stage.post(path, body, **{KEY: "k"})
    third = await stage.post(path, body, **{KEY: "k"})
    assert [first.status, other.status, again.status, third.status] == [202, 422, 202, 201]
    assert other.json["code"] == "idempotency_key_reused"
    assert first.json["id"] == again.json["id"] == third.json["id"]
    assert third.json["status"] == "SUCCEEDED"
    assert len(await at_psp(stage)) == len(await all_refunds(stage, order)) == 1
    assert (await shown(stage, order["id"]))["amount_refunded"] == 1000


async def test_after_the_key_window_it_is_looked_for_and_not_sent_again(stage: Stage) -> None:
    order = await paid(stage)
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.fault(AT_PSP, "apply_then_drop", method="POST", count=-1)
    reply = await refund(stage, order, amount=1000)
    assert reply.status == 202
    await advance(stage, 13 * 3_600)
    await until_status(stage, reply.json["id"], "SUCCEEDED")
    assert len(await at_psp(stage)) == 1


async def test_a_refund_that_never_was_is_released(stage: Stage) -> None:
    order = await paid(stage)
    await stage.fault(AT_PSP, "drop", method="POST", count=-1)
    reply = await refund(stage, order)
    assert reply.status == 202
    assert (await refund(stage, order)).status == 409
    await advance(stage, 13 * 3_600)
    back = await until_status(stage, reply.json["id"], "FAILED")
    assert back["last_error"]["code"] == "never_made"
    assert await postings(stage, order["id"]) == [
        ("refund_released", 4999), ("refund_started", 4999), ("captured", 4999),
    ]  # fmt: skip
    assert (await events(stage, order["id"]))[-1] == "refund.failed"
    await stage.sandbox("DELETE", "/_sandbox/faults")
    assert (await refund(stage, order)).status == 201


async def test_a_refusal_of_the_psp_is_told_and_kept(stage: Stage) -> None:
    order = await paid(stage)
    await stage.fault(AT_PSP, "status", status=400, method="POST")
    path = f"{ORDERS}/{order['id']}/refunds"
    reply = await stage.post(path, {}, **{KEY: "k"})
    assert (reply.status, reply.json["code"]) == (422, "refund_refused")
    again = await stage.post(path, {}, **{KEY: "k"})
    assert (again.status, again.body) == (422, reply.body)
    back = (await stage.get(f"/v1/refunds/{reply.json['refund']}")).json
    assert (back["status"], back["psp_refund"]) == ("FAILED", None)
    assert (await shown(stage, order["id"]))["amount_refunded"] == 0
    assert await balances(stage) == {"psp_receivable": 4999, "merchant_pending": -4999}
    assert (await refund(stage, order)).status == 201


# --- later -------------------------------------------------------------------------------------


async def test_a_refund_that_waits_is_promised_until_the_psp_has_made_it(stage: Stage) -> None:
    order = await paid(stage, PENDING_CARD)
    reply = await refund(stage, order)
    assert (reply.status, reply.json["status"]) == (201, "PENDING")
    assert (await shown(stage, order["id"]))["amount_refunded"] == 0
    assert await balances(stage) == {"psp_receivable": 4999, "refunds_in_flight": -4999}
    assert (await refund(stage, order)).status == 409
    await advance(stage, 86_401)
    await until_status(stage, reply.json["id"], "SUCCEEDED")
    assert await balances(stage) == {}


async def test_a_refund_that_waits_is_asked_about_when_nobody_tells(stage: Stage) -> None:
    order = await paid(stage, PENDING_CARD)
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.fault("/v1/events*", "drop", count=-1)
    assert (await refund(stage, order)).status == 201
    await advance(stage, 86_401)
    await until_refunded(stage, order, 4999, asking=True)
    assert ("Refunded", "look_up") in await causes(stage, order["id"])
    await stage.sandbox("DELETE", "/_sandbox/faults")


async def test_a_refund_that_had_left_comes_back(stage: Stage) -> None:
    order = await paid(stage, FAILING_CARD)
    back = (await refund(stage, order, amount=2000)).json
    assert back["status"] == "SUCCEEDED"
    await advance(stage, 3 * 86_400 + 1)
    failed = await until_status(stage, back["id"], "FAILED")
    assert failed["last_error"]["code"] == "expired_or_canceled_card"
    now = await shown(stage, order["id"])
    assert (now["amount_refunded"], now["attention"]) == (0, None)
    assert await balances(stage) == {"psp_receivable": 4999, "merchant_pending": -4999}
    assert (await events(stage, order["id"]))[-2:] == ["refund.succeeded", "refund.failed"]
    assert (await refund(stage, order)).json["amount"] == 4999


# --- started at the PSP ------------------------------------------------------------------------


async def intent_of(stage: Stage, order: dict[str, Any]) -> str:
    session = await stage.sandbox("GET", f"{SESSIONS}/{token_of(order)}")
    intent: str = session["payment_intent"]
    return intent


async def until_refunded(
    stage: Stage, order: dict[str, Any], amount: int, *, asking: bool = False
) -> dict[str, Any]:
    """`asking`: whoever asked just before the clock was moved need not wait for its next turn."""

    async def is_shown() -> bool:
        if asking:
            await job_runs_now(stage)
        return bool((await shown(stage, order["id"]))["amount_refunded"] == amount)

    await until(is_shown)
    return await shown(stage, order["id"])


async def test_a_refund_that_we_never_asked_for_is_taken_in(stage: Stage) -> None:
    order = await paid(stage)
    theirs = await stage.sandbox(
        "POST", AT_PSP,
        data={"payment_intent": await intent_of(stage, order), "amount": 1500,
              "reason": "fraudulent"},
    )  # fmt: skip
    await until_refunded(stage, order, 1500)
    (back,) = await all_refunds(stage, order)
    assert (back["origin"], back["status"], back["reason"], back["psp_refund"]) == (
        "psp", "SUCCEEDED", "fraudulent", theirs["id"],
    )  # fmt: skip
    assert await balances(stage) == {"psp_receivable": 3499, "merchant_pending": -3499}
    assert (await events(stage, order["id"]))[-1] == "refund.succeeded"
    timeline = (await stage.get(f"{ORDERS}/{order['id']}/timeline")).json["data"]
    assert "The PSP sent refund.created" in [entry["summary"] for entry in timeline]
    assert (await refund(stage, order, amount=3500)).status == 422
    assert (await refund(stage, order)).json["amount"] == 3499


async def test_one_that_waits_there_is_asked_about(stage: Stage) -> None:
    order = await paid(stage, PENDING_CARD)
    intent = await intent_of(stage, order)
    await stage.sandbox("POST", AT_PSP, data={"payment_intent": intent})

    async def is_known() -> bool:
        return [each["status"] for each in await all_refunds(stage, order)] == ["PENDING"]

    await until(is_known)
    await stage.fault("/psp/*", "hook_lose", count=-1)
    await stage.fault("/v1/events*", "drop", count=-1)
    await advance(stage, 86_401)
    await until_refunded(stage, order, 4999, asking=True)
    assert ("Refunded", "look_up") in await causes(stage, order["id"])
    await stage.sandbox("DELETE", "/_sandbox/faults")


async def test_its_notices_count_once_in_any_number(stage: Stage) -> None:
    order = await paid(stage)
    theirs = await stage.sandbox(
        "POST", AT_PSP, data={"payment_intent": await intent_of(stage, order)}
    )
    await until_refunded(stage, order, 4999)
    before = await events(stage, order["id"])
    for kind in ("refund.updated", "refund.created", "refund.updated"):
        assert (await tell(stage, event(kind, theirs))).status == 200
    await advance(stage, 1)
    assert await events(stage, order["id"]) == before
    assert len(await all_refunds(stage, order)) == 1


async def test_a_refund_of_a_payment_that_is_not_ours_is_none_of_ours(stage: Stage) -> None:
    await paid(stage)
    foreign = {"id": "re_foreign", "object": "refund", "status": "succeeded", "amount": 100,
               "currency": "eur", "metadata": {}, "payment_intent": "pi_foreign"}  # fmt: skip
    assert (await tell(stage, event("refund.created", foreign))).status == 200
    await advance(stage, 601)
    await until_put_aside(stage, "is of a payment that we do not have")


async def until_put_aside(stage: Stage, remark: str) -> None:
    async def is_there() -> bool:
        async with stage.rt.db.statement() as tx:
            found = await tx.fetch("SELECT remark FROM notices WHERE state = 'not_ours'")
        return remark in [row["remark"] for row in found]

    await until(is_there)


async def test_the_timeline_tells_it_in_words(stage: Stage) -> None:
    order = await paid(stage)
    await refund(stage, order, amount=1000)
    timeline = (await stage.get(f"{ORDERS}/{order['id']}/timeline")).json["data"]
    said = [entry["summary"] for entry in timeline]
    for sentence in (
        "The shop asked to give money back",
        "stripe was asked to return the money: Refunded",
        "The refund left for the shopper",
        "The ledger posted refund_succeeded",
        "refund.succeeded was published",
    ):
        assert sentence in said
