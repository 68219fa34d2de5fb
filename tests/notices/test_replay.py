"""An operator applies notices again: through the same door, and with the same effect as ever."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from structlog.testing import capture_logs

from payloom.merchants.connections import disable_connection
from payloom.notices.apply import apply_waiting
from payloom.notices.replay import Chosen, Replayed, rehearse, replay
from payloom.notices.view import show_replayed
from payloom.payments.model import Payment
from payloom.runtime import Runtime
from tests.notices.given import COMPLETED, Given, event, intent, refunding, session

DECLINED = "payment_intent.payment_failed"


async def everything(given: Given) -> dict[str, list[str]]:
    """All rows of all tables, as text."""
    tables = await given.rows(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
        " AND has_table_privilege(tablename::regclass, 'SELECT')"
    )
    names = sorted(table["name"] for table in tables)
    assert len(names) > 15
    return {name: sorted(map(str, await given.rows(f"SELECT * FROM {name}"))) for name in names}


async def all_of(given: Given) -> list[Chosen]:
    rows = await given.rows(
        "SELECT n.merchant_id, n.id, a.payment_order_id FROM notices AS n"
        " LEFT JOIN attempts AS a ON (a.merchant_id, a.id) = (n.merchant_id, n.attempt_id)"
    )
    return [Chosen(row["merchant_id"], row["id"], row["payment_order_id"]) for row in rows]


async def told(replaying: AsyncIterator[Replayed]) -> list[dict[str, Any]]:
    return [show_replayed(each) async for each in replaying]


async def end_as(given: Given, state: str, remark: str) -> None:
    """As a worker would have left all notices that an older release could do nothing with."""
    async with given.rt.db.statement() as tx:
        await tx.execute(
            "UPDATE notices SET state = $1, remark = $2, tries = 8, finished_at = $3",
            state, remark, given.rt.clock(),
        )  # fmt: skip


async def quarantined(given: Given) -> Payment:
    """An open order whose payment stands in a quarantined notice."""
    (payment,) = await given.opened()
    await given.told(event(COMPLETED, session(payment)))
    await end_as(given, "quarantined", "it broke eight times")
    return payment


async def test_a_quarantined_notice_takes_effect_once(given: Given) -> None:
    payment = await quarantined(given)
    (first,) = await told(replay(given.rt, await all_of(given)))
    assert await given.status(payment) == "SUCCEEDED"
    assert first == {
        "notice_id": first["notice_id"],
        "type": COMPLETED,
        "changed": True,
        "state": {"before": "quarantined", "after": "applied"},
        "remark": None,
        "payment_order_id": payment.order.public_id,
        "payment_order_status": {"before": "PENDING", "after": "SUCCEEDED"},
        "attempt_id": payment.current.public_id,
        "attempt_state": {"before": "OPEN", "after": "SUCCEEDED"},
        "refund_id": None,
        "refund_state": None,
        "postings": [{"kind": "captured", "amount": 4999, "currency": "EUR"}],
        "events": ["payment_order.succeeded"],
        "money_goes_back": False,
        "doubt": None,
        "error": None,
    }
    (row,) = await given.notices()
    assert (row["state"], row["remark"], row["tries"]) == ("applied", None, 9)
    (moved,) = await given.rows("SELECT * FROM payment_log WHERE outcome = 'Paid'")
    assert (moved["cause"], moved["cause_id"]) == ("notice", first["notice_id"])


async def test_replaying_what_was_applied_leaves_every_row_as_it_is(given: Given) -> None:
    await quarantined(given)
    await told(replay(given.rt, await all_of(given)))
    before = await everything(given)
    for _ in range(2):
        (again,) = await told(replay(given.rt, await all_of(given)))
        assert (again["changed"], again["remark"]) == (False, "known already")
        assert again["state"] == {"before": "applied", "after": "applied"}
    assert await everything(given) == before


async def test_a_rehearsal_tells_what_will_be_and_keeps_nothing(given: Given) -> None:
    payment = await quarantined(given)
    before = await everything(given)
    rehearsed = await told(rehearse(given.rt, await all_of(given)))
    assert await everything(given) == before
    assert await told(replay(given.rt, await all_of(given))) == rehearsed
    assert await given.status(payment) == "SUCCEEDED"


async def test_notices_of_one_order_build_on_each_other(given: Given) -> None:
    """In a rehearsal, too: the second copy would change nothing."""
    (payment,) = await given.opened()
    await given.told(*(event(COMPLETED, session(payment)) for _ in range(3)))
    await end_as(given, "quarantined", "it broke eight times")
    for way in (rehearse, replay):
        copies = await told(way(given.rt, await all_of(given)))
        assert [copy["postings"] != [] for copy in copies] == [True, False, False]
        assert {copy["state"]["after"] for copy in copies} == {"applied"}


async def test_one_that_breaks_stops_only_itself(given: Given, owner: Runtime) -> None:
    """The two are about the same order, and share a transaction."""
    (payment,) = await given.opened()
    await given.told(
        event(DECLINED, intent(payment, "card_declined")), event(COMPLETED, session(payment))
    )
    await end_as(given, "quarantined", "it broke eight times")
    await raise_when(owner, "NEW.last_error IS NOT NULL")
    for way in (rehearse, replay):
        broken, good = await told(way(given.rt, await all_of(given)))
        assert "poisoned" in broken["error"]
        assert broken["state"] == {"before": "quarantined", "after": "quarantined"}
        assert (good["error"], good["state"]["after"]) == (None, "applied")
    assert await given.status(payment) == "SUCCEEDED"
    kept = [(row["state"], row["tries"]) for row in await given.notices()]
    assert kept == [("quarantined", 8), ("applied", 9)]


async def test_what_only_the_commit_would_refuse_a_rehearsal_meets_too(
    given: Given, owner: Runtime
) -> None:
    payment = await quarantined(given)
    await raise_when(owner, "true", deferred=True)
    before = await everything(given)
    for way in (rehearse, replay):
        (broken,) = await told(way(given.rt, await all_of(given)))
        assert "poisoned" in broken["error"]
    assert await everything(given) == before
    assert await given.status(payment) == "PENDING"


async def raise_when(owner: Runtime, condition: str, *, deferred: bool = False) -> None:
    """From now on a change of an order raises under this condition."""
    kind = "CREATE TRIGGER poison BEFORE UPDATE ON payment_orders"
    if deferred:
        kind = "CREATE CONSTRAINT TRIGGER poison AFTER UPDATE ON payment_orders DEFERRABLE"
        kind += " INITIALLY DEFERRED"
    async with owner.db.statement() as tx:
        await tx.execute(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'poisoned'; END $$;"
            f"{kind} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION poison()"
        )


async def test_a_refund_moves_like_a_payment(given: Given) -> None:
    payment, refund = await given.unwanted()
    await given.told(event("refund.updated", refunding(payment, refund, "succeeded")))
    await end_as(given, "quarantined", "it broke eight times")
    rehearsed = await told(rehearse(given.rt, await all_of(given)))
    (done,) = await told(replay(given.rt, await all_of(given)))
    assert [done] == rehearsed
    assert done["refund_id"] == refund.public_id
    assert done["refund_state"] == {"before": "REQUESTED", "after": "SUCCEEDED"}
    assert done["attempt_state"] == {"before": "SUCCEEDED", "after": "SUCCEEDED"}
    assert done["payment_order_status"] == {"before": "CANCELED", "after": "CANCELED"}
    assert done["postings"] == [{"kind": "money_returned", "amount": 4999, "currency": "EUR"}]
    assert done["events"] == ["payment_order.duplicate_payment_returned"]
    before = await everything(given)
    (again,) = await told(replay(given.rt, await all_of(given)))
    assert (again["changed"], again["remark"]) == (False, "known already")
    assert await everything(given) == before


async def test_money_that_nobody_wants_is_said_to_go_back(given: Given) -> None:
    payment = await given.canceled()
    await given.told(event(COMPLETED, session(payment)))
    for way in (rehearse, replay):
        (late,) = await told(way(given.rt, await all_of(given)))
        assert late["money_goes_back"]
        assert late["postings"] == [{"kind": "suspense", "amount": 4999, "currency": "EUR"}]
        assert late["attempt_state"] == {"before": "CANCELED", "after": "SUCCEEDED"}


async def test_what_was_not_ours_may_be_ours_by_now(given: Given) -> None:
    """As after a restore from a backup: the order comes back later than its notice."""
    payment = await given.unplaced()
    await given.told(event(COMPLETED, session(payment)))
    await given.later(minutes=11)
    await given.all_applied()
    (row,) = await given.notices()
    assert row["state"] == "not_ours"
    await given.answered([await given.place(payment)])
    (back,) = await told(replay(given.rt, await all_of(given)))
    assert back["state"] == {"before": "not_ours", "after": "applied"}
    assert await given.status(payment) == "SUCCEEDED"


async def test_what_is_still_not_ours_stays_as_it_is(given: Given) -> None:
    (payment,) = await given.opened()
    await given.told(event(COMPLETED, session(payment, metadata={})))
    await given.told(event("charge.updated", {"object": "charge"}))
    await given.all_applied()
    before = await everything(given)
    again = await told(replay(given.rt, await all_of(given)))
    assert [(each["changed"], each["state"]["after"]) for each in again] == [
        (False, "not_ours"),
        (False, "ignored"),
    ]
    assert await everything(given) == before


async def test_what_an_older_release_ignored_is_read_by_this_one(given: Given) -> None:
    (payment,) = await given.opened()
    await given.told(event(COMPLETED, session(payment)))
    await end_as(given, "ignored", f"{COMPLETED} moves nothing of ours")
    (read,) = await told(replay(given.rt, await all_of(given)))
    assert read["state"] == {"before": "ignored", "after": "applied"}
    assert await given.status(payment) == "SUCCEEDED"


async def test_what_is_parked_stays_so_and_what_waits_is_applied(given: Given) -> None:
    (early,) = await given.placed()
    (waiting,) = await given.opened()
    await given.told(event(COMPLETED, session(early)), event(COMPLETED, session(waiting)))
    parked, applied = await told(replay(given.rt, await all_of(given)))
    assert parked["state"] == {"before": "stored", "after": "stored"}
    assert applied["state"] == {"before": "stored", "after": "applied"}
    await given.answered([early])
    await given.later(seconds=5)
    await given.all_applied()
    assert await given.status(early) == "SUCCEEDED"


async def test_a_doubt_asks_the_psp_again(given: Given) -> None:
    """Applied once, it did not fit; it does not fit now, and the PSP has the last word."""
    (payment,) = await given.opened()
    await given.told(event(COMPLETED, session(payment, status="new")))
    await given.all_applied()
    async with given.rt.db.statement() as tx:
        await tx.execute("DELETE FROM jobs")
    (again,) = await told(replay(given.rt, await all_of(given)))
    assert "a session in states" in again["doubt"]
    (job,) = await given.rows("SELECT * FROM jobs")
    assert (job["kind"], job["subject"]) == ("look_up", payment.current.id)


async def test_two_operators_and_a_worker_have_one_effect(given: Given) -> None:
    payments = await given.opened(5)
    for _ in range(3):
        await given.told(*(event(COMPLETED, session(payment)) for payment in payments))
    chosen = await all_of(given)
    with capture_logs():
        await asyncio.gather(
            told(replay(given.rt, chosen)),
            told(replay(given.rt, chosen[::-1])),
            *(apply_waiting(given.rt, limit=4) for _ in range(3)),
        )
    assert {row["state"] for row in await given.notices()} == {"applied"}
    (booked,) = await given.rows("SELECT count(*) AS all FROM ledger_postings")
    assert booked["all"] == 5
    for payment in payments:
        assert await given.status(payment) == "SUCCEEDED"


async def test_a_notice_of_a_disabled_connection_waits_for_a_person(given: Given) -> None:
    """It was stored before that. It stops no other, and says why."""
    (payment,) = await given.opened()
    await given.told(event(COMPLETED, session(payment)))
    await disable_connection(given.rt, given.merchant_id, given.connection_id)
    with capture_logs() as lines:
        await given.all_applied()
    assert [line["event"] for line in lines] == ["notice.quarantined"]
    (row,) = await given.notices()
    assert (row["state"], row["remark"]) == ("quarantined", "its connection is disabled")
    before = await everything(given)
    (again,) = await told(replay(given.rt, await all_of(given)))
    assert not again["changed"]
    assert await everything(given) == before
