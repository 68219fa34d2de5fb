"""The timeline tells every question to a PSP, its answer or silence, and what came of it."""

from typing import Any

from tests.scenarios.moves import ORDERS, SESSIONS, advance, made, token_of
from tests.scenarios.stage import Stage
from tests.scenarios.telling import lose_notices, until


async def told(stage: Stage, order: dict[str, Any], kind: str = "") -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await stage.get(f"{ORDERS}/{order['id']}/timeline")).json[
        "data"
    ]
    assert [each["at"] for each in entries] == sorted(each["at"] for each in entries)
    return [each for each in entries if not kind or each["kind"] == kind]


def calls(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Verb and outcome of the calls that have rows of their own."""
    return [
        (each["data"]["verb"], each["data"]["outcome"])
        for each in entries
        if "verb" in each["data"]
    ]


async def test_a_lost_answer_and_the_resend_are_both_told(stage: Stage) -> None:
    await stage.fault(SESSIONS, "apply_then_drop", method="POST")
    order = (await stage.post(ORDERS, stage.wanted())).json
    await advance(stage, 2)
    order = await stage.until(order["id"], "PENDING")
    entries = await told(stage, order, "psp.called")
    assert calls(entries) == [("register", "Unknown"), ("register", "Registered")]
    (lost, _) = [each for each in entries if "verb" in each["data"]]
    assert lost["summary"].startswith("stripe was asked to make the page: ")
    assert lost["data"]["duration_ms"] >= 0


async def test_an_error_under_the_key_and_the_search_after_it_are_told(stage: Stage) -> None:
    await stage.fault(SESSIONS, "status", status=500, method="POST")
    order = (await stage.post(ORDERS, stage.wanted())).json
    await advance(stage, 2)
    order = await stage.until(order["id"], "FAILED")
    assert calls(await told(stage, order, "psp.called")) == [
        ("register", "Unknown"), ("register", "Unknown"), ("find", "Refused"),
    ]  # fmt: skip


async def test_a_cancel_that_was_not_answered_tells_what_was_tried(stage: Stage) -> None:
    order = await made(stage)
    await lose_notices(stage)
    await stage.fault(f"{SESSIONS}/{token_of(order)}*", "drop", count=2)
    await stage.post(f"{ORDERS}/{order['id']}/cancel", {})
    await advance(stage, 31)
    await stage.until(order["id"], "CANCELED")
    entries = await told(stage, order)
    (first, last) = calls(entries)  # the look after the first try may have been answered
    assert first in (("expire", "Unknown"), ("expire", "StillOpen"))
    assert last == ("expire", "Expired")
    summaries = [each["summary"] for each in entries]
    assert summaries.index("The shop asked to cancel the order") < summaries.index(
        "The page was ended at our wish"
    )


async def test_a_payment_without_trouble_has_one_call_and_no_row_for_it(stage: Stage) -> None:
    order = await made(stage)
    await stage.pay(token_of(order))
    await stage.until(order["id"], "SUCCEEDED")

    async def is_delivered() -> bool:
        return bool(await told(stage, order, "posting.written"))

    await until(is_delivered)
    (called,) = await told(stage, order, "psp.called")
    assert called["summary"] == "stripe was asked to make a page"
    assert called["data"]["duration_ms"] >= 0
    async with stage.rt.db.statement() as tx:
        assert await tx.fetchval("SELECT count(*) FROM psp_calls") == 0


async def test_a_new_attempt_that_was_never_sent_was_never_asked_for(stage: Stage) -> None:
    order = await made(stage)
    await lose_notices(stage)
    stage.worker.stop()
    await stage.pay(token_of(order))
    assert (await stage.post(f"{ORDERS}/{order['id']}/attempts", {})).status == 409
    entries = await told(stage, order)
    made_pages = [each for each in entries if each["summary"].endswith("asked to make a page")]
    assert len(made_pages) == 1
    assert "The new attempt was not needed any more and was never sent" in [
        each["summary"] for each in entries
    ]
