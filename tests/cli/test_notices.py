"""notices list, show, replay: what operators see of the inbox, and how they apply it again."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from payloom.cli import choosing
from payloom.cli.choosing import Asked, State
from payloom.core import ids
from payloom.core.errors import NotFound
from payloom.payments.model import Payment
from tests.cli.conftest import Cli
from tests.notices import given as givens
from tests.notices.given import COMPLETED, Given, event, intent, session

DECLINED = "payment_intent.payment_failed"


async def end(given: Given, state: str, remark: str = "it broke eight times") -> None:
    """All that waits ends like this."""
    async with given.rt.db.statement() as tx:
        await tx.execute(
            "UPDATE notices SET state = $1, remark = $2, tries = 8, finished_at = $3"
            " WHERE state = 'stored'",
            state, remark, given.rt.clock(),
        )  # fmt: skip


async def quarantined(given: Given, count: int = 1) -> list[Payment]:
    """Open orders whose payments stand in quarantined notices."""
    payments = await given.opened(count)
    await given.told(*(event(COMPLETED, session(payment)) for payment in payments))
    await end(given, "quarantined")
    return payments


async def listed(cli: Cli, *options: str) -> list[dict[str, Any]]:
    told = await cli("notices", "list", *options, "--json")
    assert told.code == 0, told.err
    data: list[dict[str, Any]] = told.json["data"]
    return data


async def test_notices_are_listed_newest_first_with_their_reasons(cli: Cli, given: Given) -> None:
    (payment,) = await quarantined(given)
    await given.told(event("charge.updated", {"object": "charge"}))
    await given.all_applied()
    ignored, stuck = await listed(cli)
    assert (ignored["state"], ignored["remark"]) == (
        "ignored",
        "charge.updated moves nothing of ours",
    )
    assert ignored["payment_order_id"] is None
    assert stuck == {
        "notice_id": stuck["notice_id"],
        "merchant_id": ids.text("mer", given.merchant_id),
        "connection_id": ids.text("con", given.connection_id),
        "type": COMPLETED,
        "psp_event": stuck["psp_event"],
        "via": "webhook",
        "state": "quarantined",
        "remark": "it broke eight times",
        "tries": 8,
        "received_at": stuck["received_at"],
        "received_times": 1,
        "finished_at": stuck["finished_at"],
        "attempt_id": payment.current.public_id,
        "attempt_state": "OPEN",
        "payment_order_id": payment.order.public_id,
        "payment_order_status": "PENDING",
    }
    table = (await cli("notices", "list")).out
    assert [line.split()[0] for line in table.splitlines()[1:]] == [
        ignored["notice_id"],
        stuck["notice_id"],
    ]
    assert "it broke eight times" in table


async def test_notices_are_chosen_by_what_one_knows(given: Given) -> None:
    await quarantined(given)
    await given.told(event("charge.updated", {"object": "charge"}))
    await given.all_applied()
    other = await givens.given(given.rt)
    await other.told(event("charge.updated", {"object": "charge"}))
    merchant, stranger = (ids.text("mer", each.merchant_id) for each in (given, other))
    connection = ids.text("con", other.connection_id)
    soon = given.rt.clock() + timedelta(minutes=5)
    stuck, stored = State.quarantined, State.stored
    narrowed = [
        (Asked(), 3),
        (Asked(states=[stuck]), 1),
        (Asked(states=[stuck, stored]), 2),
        (Asked(type="charge.updated"), 2),
        (Asked(type="charge.updated", merchant=merchant), 1),
        (Asked(connection=connection), 1),
        (Asked(connection=connection, merchant=stranger), 1),
        (Asked(connection=connection, merchant=merchant), 0),
        (Asked(since="1h"), 3),
        (Asked(since="0s"), 0),
        (Asked(until="1h"), 0),
        (Asked(since=soon.isoformat()), 0),
        (Asked(until=soon.isoformat().replace("+00:00", "")), 3),
    ]
    found = [len(await choosing.found(given.rt, asked, 50)) for asked, _ in narrowed]
    assert found == [count for _, count in narrowed]
    newest, before = await choosing.found(given.rt, Asked(), 2)
    assert newest["received_at"] > before["received_at"]
    named = tuple(ids.text("ntc", row["id"]) for row in (newest, before))
    assert len(await choosing.found(given.rt, Asked(named), 50)) == 2
    with pytest.raises(NotFound, match="among these"):
        await choosing.found(given.rt, Asked(named, states=[stuck]), 50)


async def test_business_time_may_be_ahead_of_the_clock_that_made_the_ids(given: Given) -> None:
    await given.later(days=30)
    await given.told(event("charge.updated", {"object": "charge"}))
    assert len(await choosing.found(given.rt, Asked(since="1h"), 50)) == 1
    await given.later(hours=2)
    assert await choosing.found(given.rt, Asked(since="1h"), 50) == []


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--since", "yesterday"), "'yesterday' is no moment"),
        (("--until", "5"), "'5' is no moment"),
        (("--state", "lost"), "'lost'"),
        (("--limit", "0"), "--limit"),
    ],
)
async def test_what_cannot_narrow_is_told(cli: Cli, options: tuple[str, ...], word: str) -> None:
    told = await cli("notices", "list", *options)
    assert (told.code, told.out) == (2, "")
    assert word in told.err
    assert "Traceback" not in told.err


async def test_nothing_to_list_is_said(cli: Cli) -> None:
    assert (await cli("notices", "list", "--json")).json == {"data": []}
    assert (await cli("notices", "list")).out == "There are no such notices.\n"


async def test_one_notice_is_shown_whole_and_masked(cli: Cli, given: Given) -> None:
    (payment,) = await given.opened()
    people = {"email": "ada@example.com", "name": "Ada Weaver"}
    await given.told(event(COMPLETED, session(payment, customer_details=people)))
    await given.all_applied()
    (notice,) = await listed(cli)
    told = await cli("notices", "show", notice["notice_id"], "--json")
    assert {key: told.json[key] for key in notice} == notice
    assert told.json["meaning"]["says"] == "Paid"
    assert told.json["meaning"]["details"]["amount"] == {"minor": 4999, "currency": "EUR"}
    assert told.json["body"]["data"]["object"]["payment_status"] == "paid"
    assert [step["what"] for step in told.json["history"]] == [
        "received by webhook and stored",
        f"Paid: {payment.current.public_id} OPEN → SUCCEEDED, payment order PENDING → SUCCEEDED",
        "applied at try 1",
    ]
    plain = await cli("notices", "show", notice["notice_id"])
    for text in (told.out, plain.out):
        assert "[masked]" in text
        assert "ada@example.com" not in text
        assert "Ada Weaver" not in text
    assert "Paid of att_" in plain.out
    assert '"payment_status": "paid"' in plain.out


async def test_what_cannot_be_read_is_shown_as_text(cli: Cli, given: Given) -> None:
    body = json.dumps({"id": "evt_1", "object": "event"})[:-1].encode()
    async with given.rt.db.statement() as tx:
        await tx.execute(
            "INSERT INTO notices (merchant_id, id, connection_id, body, psp_event, type, via,"
            " state, remark, next_at, received_at, finished_at)"
            " VALUES ($1, $2, $3, $4, 'sha256:00', 'unreadable', 'webhook', 'quarantined',"
            " 'the body is not JSON', now(), now(), now())",
            given.merchant_id, ids.new(), given.connection_id, body,
        )  # fmt: skip
    (notice,) = await listed(cli)
    told = await cli("notices", "show", notice["notice_id"], "--json")
    assert told.json["meaning"] == {"kind": "unreadable", "why": "the body is not JSON"}
    assert told.json["body"] == body.decode()
    assert (await cli("notices", "show", notice["notice_id"])).out.endswith(f"{body.decode()}\n")


async def test_an_unknown_notice_is_one_sentence(cli: Cli) -> None:
    nobody = ids.text("ntc", ids.new())
    for arguments in (("show", nobody), ("replay", nobody, "--yes"), ("show", "ntc_x")):
        told = await cli("notices", *arguments)
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith("payloom: There is no n")
        assert told.err.count("\n") == 1


async def test_a_dry_run_shows_what_would_change_and_keeps_nothing(cli: Cli, given: Given) -> None:
    payment, _ = await quarantined(given, 2)
    told = await cli("notices", "replay", "--state", "quarantined", "--dry-run")
    assert told.code == 0, told.err
    assert f"    {payment.order.public_id} PENDING → SUCCEEDED\n" in told.out
    assert f"    {payment.current.public_id} OPEN → SUCCEEDED\n" in told.out
    assert told.out.count("    posting captured 49.99 EUR\n") == 2
    assert told.out.count("    event payment_order.succeeded\n") == 2
    assert told.out.endswith(
        "2 notices: 2 would change something, 0 nothing, 0 broke. Nothing was kept.\n"
    )
    assert await given.status(payment) == "PENDING"
    assert {row["state"] for row in await given.notices()} == {"quarantined"}


async def test_a_replay_by_id_applies_that_one_only(cli: Cli, given: Given) -> None:
    first, second = await quarantined(given, 2)
    newest, _ = await listed(cli)
    told = await cli("notices", "replay", newest["notice_id"], "--yes", "--json")
    assert told.json["dry_run"] is False
    assert told.json["more"] is False
    (done,) = told.json["data"]
    assert (done["notice_id"], done["changed"]) == (newest["notice_id"], True)
    assert await given.status(second) == "SUCCEEDED"
    assert await given.status(first) == "PENDING"
    again = await cli("notices", "replay", newest["notice_id"], "--yes")
    assert "known already" in again.out
    assert again.out.endswith("1 notices: 0 changed something, 1 nothing, 0 broke.\n")


async def test_a_replay_asks_first_and_takes_no_for_an_answer(cli: Cli, given: Given) -> None:
    (payment,) = await quarantined(given)
    for answer, code, status in (
        (b"n\n", 1, "PENDING"),
        (b"", 1, "PENDING"),
        (b"y\n", 0, "SUCCEEDED"),
    ):
        process = await cli.start("notices", "replay", "--state", "quarantined")
        _, err = await asyncio.wait_for(process.communicate(answer), 60)
        assert b"Apply 1 notices again (1 quarantined)?" in err
        assert (process.returncode, await given.status(payment)) == (code, status)


async def test_a_replay_of_everything_or_of_nothing_named_is_refused(
    cli: Cli, given: Given
) -> None:
    await quarantined(given)
    for options, word in (((), "Say which"), (("--state", "quarantined", "--json"), "--yes")):
        told = await cli("notices", "replay", *options)
        assert (told.code, told.out) == (2, "")
        assert word in told.err
    assert {row["state"] for row in await given.notices()} == {"quarantined"}


async def test_more_than_the_limit_is_said(cli: Cli, given: Given) -> None:
    await quarantined(given, 3)
    options = ("notices", "replay", "--state", "quarantined", "--limit", "2")
    assert (await cli(*options, "--dry-run", "--json")).json["more"] is True
    told = await cli(*options, "--yes")
    assert "There are more" in told.out
    assert len(await listed(cli, "--state", "quarantined")) == 1


async def test_a_notice_that_breaks_is_told_and_exits_1(cli: Cli, given: Given, owner: Any) -> None:
    (payment,) = await given.opened()
    await given.told(event(DECLINED, intent(payment, "card_declined")))
    await end(given, "quarantined")
    async with owner.db.statement() as tx:
        await tx.execute(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'poisoned'; END $$;"
            "CREATE TRIGGER poison BEFORE UPDATE ON payment_orders FOR EACH ROW"
            " EXECUTE FUNCTION poison()"
        )
    told = await cli("notices", "replay", "--state", "quarantined", "--yes")
    assert told.code == 1
    assert "broke: RaiseError('poisoned')" in told.out
    assert told.out.endswith("0 nothing, 1 broke.\n")
    assert "Traceback" not in told.err


async def test_what_is_good_for_nothing_is_put_aside_with_its_reason(
    cli: Cli, given: Given
) -> None:
    (payment,) = await quarantined(given)
    (stuck,) = await listed(cli)
    arguments = ("notices", "put-aside", stuck["notice_id"], "--why", "a test of ours")
    done = await cli(*arguments, "--json")
    told = {
        "notice_id": stuck["notice_id"],
        "state": "ignored",
        "remark": "put aside: a test of ours",
    }
    assert done.json == told
    (row,) = await given.notices()
    assert (row["state"], row["remark"]) == ("ignored", told["remark"])
    assert await given.status(payment) == "PENDING"
    again = await cli(*arguments)
    assert (again.code, again.out) == (1, "")
    assert again.err == "payloom: It is ignored: only what is quarantined can be put aside\n"
