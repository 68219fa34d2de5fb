"""After every storm, per order: the PSP's net captured amount is the order's if and only if it is
SUCCEEDED, told once, booked once, and all of it known within a minute of the PSP's being back."""

import os
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import pytest

from payloom.core import ids
from payloom.settings import Settings
from tests.scenarios.invariants import all_listed as listed
from tests.scenarios.stage import Stage
from tests.storms.storm import SHOPPERS, Crowd, Storm, play

COUNT = int(os.environ.get("STORM_ORDERS", "200"))
SEED = int(os.environ.get("STORM_SEED", "20261125"))

LOST = ({"effect": "hook_lose"},)
STORMS = (
    Storm("done, and the line goes dead", faults=({"effect": "apply_then_drop"},)),
    Storm("the line goes dead before", faults=({"effect": "drop"},)),
    Storm("500", faults=({"effect": "status", "status": 500},)),
    Storm("503", faults=({"effect": "status", "status": 503},)),
    Storm("429", faults=({"effect": "status", "status": 429},)),
    Storm("half an answer", faults=({"effect": "truncate"},)),
    Storm("slow answers", faults=({"effect": "late", "delay_s": 2.5},)),
    Storm("every webhook lost", hooks=LOST, is_swept=True),
    Storm("each webhook three times in any order", hooks=LOST, is_told_thrice=True),
    Storm(
        "webhooks later than the return",
        hooks=({"effect": "hook_delay", "delay_s": 30},),
    ),
    Storm(
        "away for ten minutes, and every webhook lost",
        faults=({"effect": "drop"},),
        hooks=LOST,
        is_swept=True,
        away_s=600,
    ),
)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """In webhook storms the sweep is off, in sweep storms the webhooks are."""
    storm: Storm = request.getfixturevalue("storm")
    return replace(settings, sweep=storm.is_swept)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("storm", STORMS, ids=lambda storm: storm.name)
async def test_after_the_storm_every_order_tells_the_truth(storm: Storm, stage: Stage) -> None:
    print(f"storm: {storm.name}; seed {SEED}; {COUNT} orders")
    crowd = await play(storm, stage, SEED, COUNT)
    await _check(crowd)


async def _check(crowd: Crowd) -> None:
    rows = await _orders(crowd.stage)
    taken = await _net_captured(crowd.stage)
    assert len(rows) == len(crowd.orders)
    wrong = []
    for row in rows:
        order = ids.text("po", row["id"])
        is_paid = row["status"] == "SUCCEEDED"
        told, numbers = row["types"] or [], row["numbers"] or []
        facts = {
            "taken at the PSP": (taken[order], row["amount"] if is_paid else 0),
            "told of success": (told.count("payment_order.succeeded"), int(is_paid)),
            "sequence": (numbers, list(range(1, len(numbers) + 1))),
            "booked": (row["captured"], int(is_paid)),
        }
        bad = {name: pair for name, pair in facts.items() if pair[0] != pair[1]}
        if bad:
            wrong.append((order, crowd.did[order], row["status"], bad))
    assert not wrong, "\n".join(map(str, wrong[:20]))
    _check_it_happened(crowd, rows)


def _check_it_happened(crowd: Crowd, rows: list[Any]) -> None:
    """It was not green because nothing happened."""
    became: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        became[crowd.did[ids.text("po", row["id"])]][row["status"]] += 1
    assert set(became) == set(SHOPPERS), "draw more orders: some kind of shopper never came"
    for did in ("pays", "pays_and_returns", "is_declined_then_pays", "pays_and_the_shop_cancels"):
        assert set(became[did]) == {"SUCCEEDED"}, (did, became[did])
    for did in ("is_declined", "leaves", "comes_back_unpaid"):
        assert set(became[did]) == {"PENDING"}, (did, became[did])
    assert set(became["the_shop_cancels"]) == {"CANCELED"}, became["the_shop_cancels"]


async def _orders(stage: Stage) -> list[Any]:
    async with stage.rt.db.statement() as tx:
        return await tx.fetch(_ORDERS, stage.merchant.merchant_id)


_ORDERS = """
SELECT o.id, o.payment_order_status AS status, o.amount,
       (SELECT array_agg(type ORDER BY sequence) FROM events AS e
         WHERE e.merchant_id = o.merchant_id AND e.payment_order_id = o.id) AS types,
       (SELECT array_agg(sequence ORDER BY sequence) FROM events AS e
         WHERE e.merchant_id = o.merchant_id AND e.payment_order_id = o.id) AS numbers,
       (SELECT count(*) FROM ledger_postings AS p
         WHERE p.merchant_id = o.merchant_id AND p.payment_order_id = o.id
           AND p.kind = 'captured') AS captured
  FROM payment_orders AS o WHERE o.merchant_id = $1
"""


async def _net_captured(stage: Stage) -> Counter[str]:
    """Captured less refunded at the PSP, in its own unit, per payment order."""
    net: Counter[str] = Counter()
    for charge in await listed(stage, "/v1/charges"):
        order = charge["metadata"].get("payloom_payment_order")
        net[order] += charge["amount_captured"] - charge["amount_refunded"]
    return net
