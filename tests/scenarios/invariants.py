"""After every story: the worker comes to rest, then all invariants are checked, also those that
need the sandbox as a witness (I2, I3, and what I5 and I13 say of the PSP's side)."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from payloom.audit.run import Finding, audit
from payloom.connectors.stripe.currencies import from_stripe
from payloom.core import ids
from payloom.core.money import Money
from tests.scenarios.stage import Stage

REST_WITHIN_S, POLL_S = 10.0, 0.05
SESSIONS = "/v1/checkout/sessions"


async def check_invariants(stage: Stage) -> None:
    """Fail with a table of what is broken, if anything is."""
    findings = [*await restless(stage), *await broken_invariants(stage)]
    assert not findings, "\n" + table(findings)


async def broken_invariants(stage: Stage, *, grace: timedelta = timedelta(0)) -> list[Finding]:
    """Everything that is wrong now: in our rows, and between them and the sandbox.

    Nothing races with the end of a story, so nothing is too young to count: `grace` is for those
    whose endpoints came and went while events were written.
    """
    async with stage.rt.db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        findings = await audit(tx, now=stage.rt.clock(), grace=grace)
    attempts = await _attempts(stage)
    log = await stage.sandbox("GET", "/_sandbox/log")
    findings += _effects_without_intent(stage, attempts, log)
    findings += _refused_although_made(attempts, log)
    findings += await _acknowledged_and_not_stored(stage)
    findings += await _forged_and_stored(stage)
    if not stage.is_psp_forged:
        findings += await _money_that_differs(stage, attempts)
        if not findings:  # what is named already is not named once more by its sum
            findings += await _books_that_differ(stage)
    return findings


def table(findings: Sequence[Finding]) -> str:
    """One line per finding, in columns."""
    rows = [(each.invariant, each.what, each.detail) for each in findings]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}" for a, b, c in rows)


# --- coming to rest --------------------------------------------------------------------------


async def restless(stage: Stage) -> list[Finding]:
    """Wait until nothing is due; what still is after REST_WITHIN_S (I28)."""
    if stage.worker._stopping.is_set():
        return []  # the story ended its worker: nobody is there to do what is due
    due: dict[str, int] = {}
    for _ in range(int(REST_WITHIN_S / POLL_S)):
        due = await _due(stage)
        if not due:
            return []
        await asyncio.sleep(POLL_S)
    merchant = ids.text("mer", stage.merchant.merchant_id)
    return [
        Finding("I28", merchant, queue, f"{count} still due after {REST_WITHIN_S:.0f} s")
        for queue, count in due.items()
    ]


async def _due(stage: Stage) -> dict[str, int]:
    async with stage.rt.db.statement() as tx:
        rows = await tx.fetch(_DUE, stage.rt.clock())
    return {row["queue"]: row["due"] for row in rows}


_DUE = """
SELECT queue, count(*)::int AS due FROM (
    SELECT 'notices' AS queue FROM notices WHERE state = 'stored' AND next_at <= $1
    UNION ALL
    SELECT 'deliveries' FROM deliveries WHERE state = 'pending'
       AND (next_at <= $1 OR lease_until > clock_timestamp())
    UNION ALL
    SELECT 'jobs' FROM jobs WHERE quarantined_at IS NULL
       AND (run_at <= $1 OR lease_until > clock_timestamp())) AS due
 GROUP BY queue
"""


# --- the sandbox as a witness ----------------------------------------------------------------


async def _attempts(stage: Stage) -> dict[str, dict[str, Any]]:
    """What we know of every attempt of the stage's merchant, by public id."""
    async with stage.rt.db.statement() as tx:
        rows = await tx.fetch(_ATTEMPTS, stage.merchant.merchant_id)
    return {ids.text("att", row["id"]): dict(row) for row in rows}


_ATTEMPTS = """
SELECT a.id, a.state, a.token, a.created_at, a.payment_order_id, o.currency,
       a.amount - coalesce(r.given_back, 0)::bigint AS left,
       coalesce(r.is_unknown, false) AS is_refund_unknown,
       o.payment_order_status AS status, o.attention, o.paid_by_attempt = a.id AS paid,
       EXISTS (SELECT FROM jobs AS j
                WHERE j.merchant_id = a.merchant_id AND j.subject = a.id)
       OR EXISTS (SELECT FROM notices AS n
                   WHERE n.merchant_id = a.merchant_id AND n.attempt_id = a.id
                     AND n.state = 'stored') AS news_to_come
  FROM attempts AS a
  JOIN payment_orders AS o ON o.merchant_id = a.merchant_id AND o.id = a.payment_order_id
  LEFT JOIN LATERAL (
       SELECT sum(amount) AS given_back, bool_or(state = 'REQUESTED') AS is_unknown FROM refunds
        WHERE merchant_id = a.merchant_id AND attempt_id = a.id
          AND state NOT IN ('FAILED', 'CANCELED')) AS r ON true
 WHERE a.merchant_id = $1
"""


def _effects_without_intent(
    stage: Stage, attempts: dict[str, dict[str, Any]], log: Sequence[dict[str, Any]]
) -> list[Finding]:
    """I3: each mutation that reached the sandbox has an attempt, written before it arrived."""
    tokens = {attempt["token"] for attempt in attempts.values()}
    strays: list[Finding] = []
    for entry in log:
        if entry["method"] != "POST" or (entry["path"], entry["object"]) in stage.made_by_hand:
            continue
        if entry["path"] == SESSIONS:
            attempt = attempts.get(entry["idempotency_key"])
            if attempt is None:
                strays.append(_about(stage, "I3", entry, "was asked for by no attempt"))
            elif attempt["created_at"] - stage.rt.clock.offset > _at(entry):
                strays.append(_about(stage, "I3", entry, "was asked for before its attempt was"))
        elif entry["path"].startswith(SESSIONS) and entry["path"].split("/")[4] not in tokens:
            strays.append(_about(stage, "I3", entry, "is a page of no attempt"))
    return strays


def _refused_although_made(
    attempts: dict[str, dict[str, Any]], log: Sequence[dict[str, Any]]
) -> list[Finding]:
    """I5: what the PSP made was not refused."""
    made = {
        entry["idempotency_key"]: entry["object"]
        for entry in log
        if entry["path"] == SESSIONS and entry["method"] == "POST" and entry["status"] == 200
    }
    return [
        Finding("I5", "", attempt_id, f"REFUSED although the sandbox made {made[attempt_id]}")
        for attempt_id, attempt in attempts.items()
        if attempt["state"] == "REFUSED" and attempt_id in made
    ]


async def _acknowledged_and_not_stored(stage: Stage) -> list[Finding]:
    """I13: each event that we answered with 2xx is among the notices that we have seen."""
    acknowledged = await all_listed(stage, "/v1/events", "&delivery_success=true")
    async with stage.rt.db.statement() as tx:
        rows = await tx.fetch(_SEEN, stage.merchant.merchant_id)
    seen = {row["psp_event"] for row in rows}
    return [
        Finding("I13", "", event["id"], f"{event['type']} was acknowledged and never stored")
        for event in acknowledged
        if event["id"] not in seen
    ]


_SEEN = "SELECT psp_event FROM notices_seen WHERE merchant_id = $1"


async def _forged_and_stored(stage: Stage) -> list[Finding]:
    """I15: what was not signed by the PSP was not taken in."""
    async with stage.rt.db.statement() as tx:
        rows = await tx.fetch(_SEEN, stage.merchant.merchant_id)
    taken = stage.forged & {row["psp_event"] for row in rows}
    return [Finding("I15", "", each, "was signed by somebody else and taken in") for each in taken]


async def _books_that_differ(stage: Stage) -> list[Finding]:
    """I12: of what we know of, the PSP owes us what it says: captured less refunded."""
    async with stage.rt.db.statement() as tx:
        known = {row["psp_payment"] for row in await tx.fetch(_KNOWN, stage.merchant.merchant_id)}
        rows = await tx.fetch(_RECEIVABLE, stage.merchant.merchant_id)
    booked = {row["currency"]: int(row["balance"]) for row in rows if row["balance"]}
    held: dict[str, int] = defaultdict(int)
    for charge in await all_listed(stage, "/v1/charges"):
        if charge["payment_intent"] in known:
            left = charge["amount_captured"] - charge["amount_refunded"]
            money = from_stripe(left, charge["currency"])
            held[money.currency] += money.minor
    there = {currency: amount for currency, amount in held.items() if amount}
    if booked == there:
        return []
    return [Finding("I12", "", "psp_receivable", f"booked {booked}, the sandbox holds {there}")]


# A refund that is on its way is booked when the PSP says that the money has left; where a person
# must look, something does not fit that the person knows of.
_KNOWN = """
SELECT psp_payment FROM attempts AS a
 WHERE merchant_id = $1 AND state = 'SUCCEEDED'
   AND NOT EXISTS (SELECT FROM payment_orders AS o
                    WHERE o.merchant_id = a.merchant_id AND o.id = a.payment_order_id
                      AND o.attention IS NOT NULL)
   AND NOT EXISTS (SELECT FROM refunds AS r
                    WHERE r.merchant_id = a.merchant_id AND r.attempt_id = a.id
                      AND r.state IN ('REQUESTED', 'REQUIRES_ACTION', 'PENDING'))
"""

_RECEIVABLE = """
SELECT e.currency, sum(e.amount) AS balance
  FROM ledger_accounts AS c
  JOIN ledger_entries AS e ON e.merchant_id = c.merchant_id AND e.account_id = c.id
  JOIN ledger_postings AS p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id
  JOIN payment_orders AS o ON o.merchant_id = p.merchant_id AND o.id = p.payment_order_id
 WHERE c.merchant_id = $1 AND c.code = 'psp_receivable' AND o.attention IS NULL
   AND NOT EXISTS (SELECT FROM refunds AS r
                    WHERE r.merchant_id = p.merchant_id
                      AND r.payment_order_id = p.payment_order_id
                      AND r.state IN ('REQUESTED', 'REQUIRES_ACTION', 'PENDING'))
 GROUP BY e.currency
"""


async def _money_that_differs(stage: Stage, attempts: dict[str, dict[str, Any]]) -> list[Finding]:
    """I2: the sandbox took exactly what is paid, and nothing that nobody will hear of."""
    net = await _net_captured(stage)
    different: list[Finding] = []
    for attempt_id, attempt in attempts.items():
        taken = net.get(attempt_id, [])
        if attempt["paid"]:
            if attempt["is_refund_unknown"]:
                continue
            left = Money(attempt["left"], attempt["currency"].strip())
            if taken != ([left] if left.minor else []):
                why = f"paid and kept {left}; the sandbox took {taken}"
                different.append(Finding("I2", "", attempt_id, f"{why}. {_IF_FORGED}"))
        elif taken and not attempt["attention"] and not attempt["news_to_come"]:
            why = f"{attempt['state']}, nobody will ask, and the sandbox took {taken}"
            different.append(Finding("I2", "", attempt_id, why))
    return different


_IF_FORGED = "(A story that forges the PSP's words sets stage.is_psp_forged.)"


async def _net_captured(stage: Stage) -> dict[str, list[Money]]:
    """Captured less refunded per attempt, one item per charge that took money."""
    attempt_of = {
        intent["id"]: intent["metadata"].get("payloom_attempt")
        for intent in await all_listed(stage, "/v1/payment_intents")
    }
    net: dict[str, list[Money]] = defaultdict(list)
    for charge in await all_listed(stage, "/v1/charges"):
        left = charge["amount_captured"] - charge["amount_refunded"]
        attempt = attempt_of.get(charge["payment_intent"])
        if left and attempt:
            net[attempt].append(from_stripe(left, charge["currency"]))
    return net


async def all_listed(stage: Stage, path: str, filters: str = "") -> list[dict[str, Any]]:
    """Every item of one of the sandbox's lists."""
    found: list[dict[str, Any]] = []
    more = True
    while more:
        after = f"&starting_after={found[-1]['id']}" if found else ""
        page = await stage.sandbox("GET", f"{path}?limit=100{filters}{after}")
        found += page["data"]
        more = page["has_more"]
    return found


def _about(stage: Stage, invariant: str, entry: dict[str, Any], why: str) -> Finding:
    what = entry["object"] or entry["path"]
    key = f"key {entry['idempotency_key']}, status {entry['status']}"
    return Finding(invariant, ids.text("mer", stage.merchant.merchant_id), what, f"{why} ({key})")


def _at(entry: dict[str, Any]) -> datetime:
    # The log's times are cut to milliseconds, ours are not.
    return datetime.fromisoformat(entry["at"]) + timedelta(milliseconds=1)
