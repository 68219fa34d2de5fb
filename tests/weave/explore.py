"""Plays a pair through its schedules, each on an order of its own, and judges every end."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from structlog.testing import capture_logs

from payloom.audit.run import Finding, audit
from tests.weave.ground import Ground, rest
from tests.weave.loom import STEPS_MAX, Trail, following, told
from tests.weave.pairs import Case, End, Pair

AUDIT_EVERY = 50


@dataclass(slots=True)
class Explored:
    """How many schedules were played, whether these are all there are or there are more with more
    switches, and in how many one had to wait for the other's lock."""

    switches: int
    schedules: int = 0
    is_all: bool = True
    with_waiting: int = 0


class WrongEnd(AssertionError):
    """An order of steps that leads elsewhere; the message tells it step by step."""


async def explore(ground: Ground, pair: Pair, switches: int) -> Explored:
    """Every schedule with so many switches at most. Raises WrongEnd at the first bad one."""
    explored = Explored(switches)
    trails: dict[str, Trail] = {}
    wanted: Trail | None = []
    while wanted is not None:
        case = Case(ground, ground.wanted())
        with capture_logs() as lines:
            await pair.given(case)
            trail = await _play(case, pair, wanted)
            await rest(ground)
        await _judge(case, pair, trail, lines)
        trails[(await ground.payment(case.wanted.reference)).order.public_id] = trail
        explored.schedules += 1
        explored.with_waiting += any(choice.forced for choice in trail)
        wanted = following(trail, switches)
        explored.is_all &= wanted == following(trail, STEPS_MAX)
        if wanted is None or explored.schedules % AUDIT_EVERY == 0:
            await _audit(ground, trails)
    return explored


async def _play(case: Case, pair: Pair, wanted: Trail) -> Trail:
    ground = case.ground
    flows = (partial(pair.one, ground.one, case), partial(pair.other, ground.other, case))
    try:
        return await ground.loom.play(flows, wanted)
    except Exception as broken:
        raise WrongEnd(f"{pair.name}: {broken!r}, by\n{broken.__notes__[-1]}") from broken


async def _judge(
    case: Case, pair: Pair, trail: Trail, lines: Sequence[MutableMapping[str, Any]]
) -> None:
    """The end must be the right one, and nothing may have broken on the way, not even what was
    caught, logged, and mended by trying again."""
    errors = [line for line in lines if line["log_level"] == "error"]
    end = await _end(case)
    ends = pair.end if isinstance(pair.end, tuple) else (pair.end,)
    if errors or end not in ends:
        raise WrongEnd(f"{pair.name}: {errors or end} instead of {pair.end}, by\n{told(trail)}")


async def _audit(ground: Ground, trails: dict[str, Trail]) -> None:
    """All invariants, of all orders at once: a finding names the order, and so the schedule."""
    await ground.loom.observer.execute("ANALYZE")  # it grows faster than autovacuum looks
    async with ground.rt.db.transaction() as tx:
        findings = await audit(tx, now=ground.later.clock())
    if findings:
        raise WrongEnd(f"{findings}\n{_schedule_of(findings[0], trails)}")
    trails.clear()


def _schedule_of(finding: Finding, trails: dict[str, Trail]) -> str:
    return told(trails[finding.what]) if finding.what in trails else ""


async def _end(case: Case) -> End:
    ground = case.ground
    payment = await ground.payment(case.wanted.reference)
    order, attempt = payment.order, payment.current
    key = (order.merchant_id, order.id)
    async with ground.rt.db.statement() as tx:
        postings = await tx.fetch(_POSTINGS, *key)
        events = await tx.fetch(_EVENTS, *key)
        notices = await tx.fetch(_NOTICES, order.merchant_id, attempt.id)
    got = [each for each in ground.receiver.got if order.public_id.encode() in each.body]
    return End(
        order.status,
        attempt.state,
        order.amount_captured,
        tuple(row["kind"] for row in postings),
        tuple(row["type"].removeprefix("payment_order.") for row in events),
        tuple(row["state"] for row in notices),
        ground.psp.made[attempt.public_id],
        len(got),
    )


_POSTINGS = """
SELECT kind FROM ledger_postings WHERE (merchant_id, payment_order_id) = ($1, $2) ORDER BY kind
"""
_EVENTS = """
SELECT type FROM events WHERE (merchant_id, payment_order_id) = ($1, $2) ORDER BY sequence
"""
_NOTICES = "SELECT state FROM notices WHERE (merchant_id, attempt_id) = ($1, $2) ORDER BY id"
