"""A PSP that speaks anew, or for somebody else: stored, told to operators, never believed blindly
(F41, F42)."""

import secrets
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from payloom.notices.apply import apply_of_attempt
from tests.notices.given import COMPLETED, Given, event, refunding, session

OLD = "2018-01-01"


def drifted() -> float:
    return REGISTRY.get_sample_value("payloom_notice_drift_total") or 0.0


async def ends(given: Given, *events: dict[str, Any]) -> list[tuple[str, Any]]:
    """How notices of these end."""
    fresh = await given.told(*events)
    await given.all_applied()
    return [(row["state"], row["remark"]) for row in await given.notices() if row["id"] in fresh]


async def test_another_version_of_the_same_shape_is_applied(given: Given) -> None:
    (payment,) = await given.opened()
    before = drifted()
    assert await ends(given, event(COMPLETED, session(payment), api_version=OLD)) == [
        ("applied", None)
    ]
    assert await given.status(payment) == "SUCCEEDED"
    assert drifted() == before + 1


async def test_another_version_of_another_shape_waits_for_a_person_and_the_psp_is_asked(
    given: Given,
) -> None:
    (payment,) = await given.opened()
    await given.later(minutes=1)
    changed = session(payment, status=None, payment_status=None, payment_state="paid")
    ((state, remark),) = await ends(given, event(COMPLETED, changed, api_version=OLD))
    assert state == "quarantined"
    assert remark.startswith(f"rendered for API version {OLD}, not ")
    assert await given.status(payment) == "PENDING"
    (job,) = await given.rows("SELECT * FROM jobs WHERE kind = 'look_up'")
    assert (job["subject"] == payment.current.id, job["tries"]) == (True, 0)
    assert (
        job["run_at"] < given.rt.clock() + (payment.order.expires_at - payment.order.created_at) / 2
    )


async def test_the_same_shape_in_our_own_version_is_a_doubt_only(given: Given) -> None:
    (payment,) = await given.opened()
    ((state, remark),) = await ends(given, event(COMPLETED, session(payment, status=None)))
    assert (state, remark[:14]) == ("applied", "asked the PSP:")


async def test_a_refund_of_another_shape_waits_for_a_person(given: Given) -> None:
    payment, refund = await given.unwanted()
    odd = refunding(payment, refund, "new")
    ((state, remark),) = await ends(given, event("refund.updated", odd, api_version=OLD))
    assert (state, "a refund in status 'new'" in remark) == ("quarantined", True)
    (row,) = await given.rows("SELECT state FROM refunds")
    assert row["state"] == "REQUESTED"


async def test_each_type_and_version_is_logged_once_and_counted_each_time(given: Given) -> None:
    new = f"gold.{secrets.token_hex(4)}"  # that no other test has told of
    before = drifted()
    with capture_logs() as lines:
        for _ in range(2):
            await given.told(*(event(new, {"object": "gold"}) for _ in range(2)))
            await given.told(event(new, {"object": "gold"}, api_version=OLD))
            await given.told(event("charge.updated", {"object": "charge"}))
            await given.all_applied()
    told = [(line["type"], line["drift"]) for line in lines if line["event"] == "notice.drifted"]
    assert sorted(told) == [
        (new, "of a type that is new"),
        (new, f"rendered for API version {OLD}, not 2026-10-28.endive"),
    ]
    assert drifted() == before + 6
    assert {row["state"] for row in await given.notices()} == {"ignored"}


async def test_a_shopper_who_returns_lets_it_be_told_too(given: Given) -> None:
    (payment,) = await given.opened()
    await given.told(event(COMPLETED, session(payment), api_version=OLD))
    before = drifted()
    await apply_of_attempt(given.rt, payment.current)
    assert drifted() == before + 1


@pytest.mark.parametrize("livemode", [False, True])
async def test_another_account_never_pays_our_order(given: Given, livemode: bool) -> None:
    """Signed with our secret, as all events of a platform's endpoint are."""
    (payment,) = await given.opened()
    ours, theirs = session(payment), session(payment, metadata={"order": "7"})
    found = await ends(
        given,
        event(COMPLETED, ours, account="acct_1Other", livemode=livemode),
        event(COMPLETED, theirs, account="acct_1Other", livemode=livemode),
    )
    attempt = payment.current.public_id
    assert found == [
        ("quarantined", f"names {attempt}, but is of the account acct_1Other"),
        ("not_ours", "is of the account acct_1Other"),
    ]
    assert await given.status(payment) == "PENDING"


async def test_the_other_mode_never_pays_our_order(given: Given) -> None:
    (payment,) = await given.opened()
    found = await ends(given, event(COMPLETED, session(payment), livemode=True))
    assert found == [("quarantined", "the event is of the other mode (test or live)")]
    assert await given.status(payment) == "PENDING"
