"""Every query of every invariant finds what it is for, and finds nothing where nothing is wrong."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from payloom.audit import queries as q
from payloom.audit.invariants import INVARIANTS
from payloom.audit.run import offenders

# What is broken by hand, by the query that must see it. The story: W-1 paid, W-2
# refused, W-3 canceled and paid all the same, W-4 open.
DAMAGE: dict[str, list[str]] = {
    "REFERENCE_TWICE": ["UPDATE payment_orders SET reference = 'W-1'"],
    "KEY_TWICE": ["INSERT INTO idempotency_keys SELECT * FROM idempotency_keys"],
    "ANSWER_WITHOUT_ORDER": [
        "DELETE FROM payment_orders WHERE reference = 'W-1'",
        "UPDATE payment_orders SET amount = 1",
        "UPDATE payment_orders SET currency = 'USD'",
        "UPDATE payment_orders SET merchant_id = gen_random_uuid()",
    ],
    "SURPLUS_KEPT": [
        "DELETE FROM refunds",
        "UPDATE refunds SET state = 'FAILED'",
        "UPDATE refunds SET attempt_id = gen_random_uuid()",
        "UPDATE payment_orders SET paid_by_attempt = NULL WHERE reference = 'W-1'",
    ],
    "REFUNDED_TOO_MUCH": [
        "INSERT INTO refunds SELECT * FROM refunds",
        "UPDATE refunds SET amount = amount + 1",
        "UPDATE refunds SET currency = 'USD'",
        "UPDATE attempts SET state = 'CANCELED' WHERE state = 'SUCCEEDED'",
    ],
    "REFUNDS_MISCOUNTED": [
        "UPDATE payment_orders SET amount_refund_asked = 1",
        "UPDATE refunds SET purpose = 'request'",
    ],
    "NOBODY_ASKS_ABOUT_A_REFUND": [
        "UPDATE refunds SET state = 'PENDING'",
        "UPDATE refunds SET state = 'REQUESTED', purpose = 'request'",
        "UPDATE refunds SET state = 'REQUIRES_ACTION'",
    ],
    "NOBODY_ASKS": [
        "DELETE FROM jobs WHERE kind = 'look_up'",
        "UPDATE attempts SET state = 'PROCESSING' WHERE state = 'REFUSED'",
        "UPDATE attempts SET state = 'REGISTERING' WHERE state = 'REFUSED'",
    ],
    "END_WITHOUT_ANSWER": [
        "UPDATE payment_log SET cause = 'request'",
        "UPDATE payment_log SET outcome = 'Unknown' WHERE to_state = 'REFUSED'",
        "UPDATE attempts SET state = 'EXPIRED' WHERE state = 'REFUSED'",
        "UPDATE attempts SET state = 'CANCELED' WHERE state = 'REFUSED'",
        "UPDATE attempts SET state = 'FAILED' WHERE state = 'REFUSED'",
    ],
    "FAILED_ORDER_OF_LIVE_ATTEMPT": [
        "UPDATE attempts SET state = 'OPEN' WHERE state = 'REFUSED'",
    ],
    "PAID_WITHOUT_EVIDENCE": [
        """UPDATE payment_orders SET paid_by_attempt =
               (SELECT id FROM attempts WHERE state = 'REFUSED') WHERE reference = 'W-1'""",
        "UPDATE attempts SET state = 'OPEN' WHERE state = 'SUCCEEDED'",
        "UPDATE attempts SET amount = amount + 1",
        "UPDATE attempts SET currency = 'USD'",
        "UPDATE payment_log SET cause = 'request' WHERE outcome = 'Paid'",
        "UPDATE payment_log SET cause = 'psp_answer' WHERE outcome = 'Paid'",
        "DELETE FROM payment_log WHERE outcome = 'Paid'",
        "DELETE FROM ledger_postings",
        "UPDATE ledger_postings SET kind = 'suspense'",
        "UPDATE ledger_postings SET at = at + interval '1 microsecond'",
        "UPDATE ledger_entries SET amount = amount * 2",
        "UPDATE ledger_entries SET currency = 'USD'",
        "UPDATE ledger_accounts SET owner = gen_random_uuid()",
    ],
    "STEP_OFF_THE_TABLE": [
        "DELETE FROM attempt_transitions WHERE to_state = 'SUCCEEDED'",
        "DELETE FROM payment_log WHERE outcome = 'Registered'",
        "DELETE FROM payment_log WHERE outcome = 'Requested'",
        "INSERT INTO payment_log SELECT * FROM payment_log WHERE outcome = 'Paid'",
        "UPDATE payment_log SET to_state = 'OPEN' WHERE outcome = 'Requested'",
        "UPDATE payment_log SET version = 5 - version",
    ],
    "HISTORY_ENDS_ELSEWHERE": [
        "UPDATE attempts SET state = 'EXPIRED' WHERE state = 'SUCCEEDED'",
        "UPDATE attempts SET state = 'OPEN' WHERE state = 'SUCCEEDED'",
        "DELETE FROM payment_log",
        "DELETE FROM payment_log WHERE outcome = 'Paid'",
    ],
    "VERSIONS_WITH_GAPS": [
        "DELETE FROM payment_log",
        "DELETE FROM payment_log WHERE version = 1",
        "DELETE FROM payment_log WHERE version = 2",
        "UPDATE payment_log SET version = version + 1",
        "UPDATE payment_orders SET version = version + 1",
        "UPDATE payment_orders SET payment_order_status = 'PENDING'",
    ],
    "AMOUNTS_OUT_OF_BOUNDS": [
        "UPDATE payment_orders SET amount_refunded = amount_captured + 1",
        "UPDATE payment_orders SET amount_refunded = -1",
        "UPDATE payment_orders SET amount_captured = amount + 1",
    ],
    "BOOKS_OUT_OF_BOUNDS": [
        "UPDATE ledger_entries SET amount = amount + sign(amount)",
        "UPDATE ledger_entries SET amount = -amount",
        "UPDATE ledger_postings SET kind = 'refund_failed'",
    ],
    "POSTING_TOO_SMALL": [
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_entries WHERE amount < 0",
    ],
    "POSTING_OFF_BALANCE": [
        "UPDATE ledger_entries SET amount = amount + 1 WHERE amount > 0",
        "UPDATE ledger_entries SET currency = 'USD' WHERE amount > 0",
    ],
    "BOOKS_OFF_BALANCE": [
        "UPDATE ledger_entries SET amount = amount + 1 WHERE amount > 0",
        "UPDATE ledger_entries SET posting_id = gen_random_uuid(), amount = amount + 1",
        "UPDATE ledger_entries SET currency = 'USD' WHERE amount > 0",
    ],
    "ENTRY_IN_WRONG_ACCOUNT": [
        "UPDATE ledger_accounts SET currency = 'USD'",
        "UPDATE ledger_entries SET currency = 'USD'",
        "DELETE FROM ledger_accounts",
    ],
    "ORDER_AND_BOOKS_DIFFER": [
        "UPDATE payment_orders SET amount_captured = amount_captured - 1",
        "UPDATE payment_orders SET amount_refunded = 1",
        "UPDATE payment_orders SET currency = 'USD'",
        "UPDATE ledger_postings SET payment_order_id = NULL",
        "UPDATE ledger_postings SET kind = 'suspense'",
        "DELETE FROM ledger_postings",
        "DELETE FROM payment_orders",
    ],
    "NOTICE_LOST": ["DELETE FROM notices", "UPDATE notices SET merchant_id = gen_random_uuid()"],
    "NOTICE_LEFT_LYING": [
        "UPDATE notices SET state = 'stored', next_at = next_at - interval '301 seconds'"
    ],
    "EVENTS_WITH_GAPS": [
        "DELETE FROM events",
        "DELETE FROM events WHERE sequence = 1",
        "UPDATE events SET sequence = sequence + 1",
        "UPDATE events SET sequence = 1",
        "INSERT INTO events SELECT * FROM events",
        "UPDATE payment_orders SET event_sequence = event_sequence + 1",
    ],
    "CHANGE_UNTOLD": [
        "DELETE FROM events WHERE type = 'payment_order.succeeded'",
        "UPDATE events SET at = at + interval '1 microsecond'",
    ],
    "ENDPOINT_EVENTS_WITH_GAPS": [
        "DELETE FROM events",
        "UPDATE events SET sequence = 2",
        "UPDATE events SET webhook_endpoint_id = NULL",
        "INSERT INTO events SELECT * FROM events",
        "UPDATE webhook_endpoints SET event_sequence = event_sequence + 1",
    ],
    "SWITCH_OFF_UNTOLD": [
        "DELETE FROM events",
        "UPDATE events SET at = at + interval '1 microsecond'",
        "UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = 'failing'",
    ],
    "EVENT_NOT_OWED": [
        "DELETE FROM deliveries",
        "DELETE FROM deliveries WHERE event_id = (SELECT id FROM events ORDER BY id LIMIT 1)",
        """INSERT INTO webhook_endpoints (merchant_id, id, url, event_types, created_at)
           SELECT merchant_id, gen_random_uuid(), url, ARRAY['payment_order.failed'], created_at
             FROM webhook_endpoints""",
    ],
    "EVENT_BODY_DIFFERS": [
        "UPDATE events SET sequence = sequence + 1",
        "UPDATE events SET type = 'payment_order.failed'",
        "UPDATE events SET body = '{}'",
    ],
}

# What looks like damage and is none.
HARMLESS: dict[str, list[str]] = {
    "ANSWER_WITHOUT_ORDER": [
        """UPDATE idempotency_keys SET body = '{"id": "whe_1"}'""",
        "UPDATE idempotency_keys SET status = NULL, body = NULL",
        "UPDATE idempotency_keys SET status = 422, body = 'not even JSON'",
    ],
    "END_WITHOUT_ANSWER": [
        f"UPDATE payment_log SET cause = '{cause}'" for cause in ("notice", "return", "look_up")
    ],
    "PAID_WITHOUT_EVIDENCE": [
        "UPDATE payment_log SET cause = 'return' WHERE outcome = 'Paid'",
        "UPDATE payment_log SET cause = 'look_up' WHERE outcome = 'Paid'",
    ],
    "STEP_OFF_THE_TABLE": [
        # A remark: a declined card moves nothing.
        """INSERT INTO payment_log (merchant_id, payment_order_id, version, at, attempt_id,
                  from_state, to_state, to_status, outcome, cause)
           SELECT merchant_id, payment_order_id, 2, at, attempt_id, 'OPEN', 'OPEN', to_status,
                  'Declined', cause FROM payment_log WHERE outcome = 'Registered'""",
        # Two steps of one version, written in the other order.
        """DELETE FROM payment_log WHERE outcome = 'Paid'
              AND payment_order_id IN (SELECT id FROM payment_orders WHERE reference = 'W-1');
           INSERT INTO payment_log (merchant_id, payment_order_id, version, at, attempt_id,
                  from_state, to_state, to_status, outcome, cause)
           SELECT merchant_id, payment_order_id, 3, at, attempt_id, step[1], step[2], to_status,
                  'Failed', cause
             FROM payment_log, (VALUES (ARRAY['PROCESSING', 'FAILED']),
                                       (ARRAY['OPEN', 'PROCESSING'])) AS s (step)
            WHERE outcome = 'Registered'
              AND payment_order_id IN (SELECT id FROM payment_orders WHERE reference = 'W-1')""",
    ],
    "NOTICE_LEFT_LYING": [
        "UPDATE notices SET state = 'stored', next_at = next_at - interval '240 seconds'",
        "UPDATE notices SET next_at = next_at - interval '1 day' WHERE state <> 'stored'",
    ],
    "SWITCH_OFF_UNTOLD": [
        """UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = 'deleted'
            WHERE disabled_at IS NULL""",
    ],
    "EVENT_NOT_OWED": [
        """UPDATE webhook_endpoints SET enabled_at = created_at + interval '1 day';
           DELETE FROM deliveries""",
        """INSERT INTO webhook_endpoints (merchant_id, id, url, created_at, disabled_at)
           SELECT merchant_id, gen_random_uuid(), url, created_at, created_at
             FROM webhook_endpoints""",
        """INSERT INTO webhook_endpoints (merchant_id, id, url, created_at)
           SELECT merchant_id, gen_random_uuid(), url, created_at + interval '1 day'
             FROM webhook_endpoints""",
        """INSERT INTO webhook_endpoints (merchant_id, id, url, event_types, created_at)
           SELECT merchant_id, gen_random_uuid(), url, ARRAY['refund.failed'], created_at
             FROM webhook_endpoints""",
        """INSERT INTO webhook_endpoints (merchant_id, id, url, created_at)
           SELECT gen_random_uuid(), gen_random_uuid(), url, created_at FROM webhook_endpoints""",
    ],
}  # fmt: skip


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, statement) for name, statements in table.items() for statement in statements]


def asked() -> dict[str, str]:
    """Every query that an invariant asks, by the name of its constant."""
    names = {value: name for name, value in vars(q).items() if name.isupper()}
    return {names[sql]: sql for invariant in INVARIANTS for sql in invariant.sql}


async def found(books: asyncpg.Connection, name: str) -> int:
    now = datetime.now(UTC)
    return len(await offenders(books, asked()[name], now=now, grace=timedelta(0)))


async def test_a_story_leaves_nothing_to_find(books: asyncpg.Connection) -> None:
    assert {name: await found(books, name) for name in asked()} == dict.fromkeys(asked(), 0)


@pytest.mark.parametrize(("name", "damage"), cases(DAMAGE))
async def test_damage_is_found(books: asyncpg.Connection, name: str, damage: str) -> None:
    await books.execute(damage)

    assert await found(books, name) > 0


@pytest.mark.parametrize(("name", "change"), cases(HARMLESS))
async def test_what_only_looks_like_damage_is_not(
    books: asyncpg.Connection, name: str, change: str
) -> None:
    await books.execute(change)

    assert await found(books, name) == 0


def test_every_query_has_damage_to_find() -> None:
    assert set(DAMAGE) == set(asked())
