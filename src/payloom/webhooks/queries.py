"""All SQL of events, endpoints and deliveries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from payloom.core.db import Row, Tx
from payloom.core.paging import Page
from payloom.webhooks.model import Claimed, Delivery, Endpoint, Result, StoredEvent, Written

# --- publishing ------------------------------------------------------------------------------


async def insert_events(tx: Tx, events: Sequence[StoredEvent], now: datetime) -> None:
    """The events, and one delivery per enabled endpoint of the merchant that wants the type."""
    await tx.execute(
        _INSERT_EVENTS,
        [event.merchant_id for event in events],
        [event.id for event in events],
        [event.payment_order_id for event in events],
        [event.sequence for event in events],
        [event.type for event in events],
        [event.body for event in events],
        now,
        [event.webhook_endpoint_id for event in events],
    )


# Only the database knows how many deliveries there are, so it makes their ids.
_INSERT_EVENTS = """
WITH told AS (
    INSERT INTO events (merchant_id, id, payment_order_id, sequence, type, body,
           webhook_endpoint_id, at)
    SELECT *, $7 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[],
                             $8::uuid[])
)
INSERT INTO deliveries (merchant_id, id, event_id, endpoint_id, state, next_at, created_at)
SELECT e.merchant_id,
       delivery_id(e.id, w.id), e.id, w.id, 'pending', $7, $7
  FROM unnest($1::uuid[], $2::uuid[], $5::text[]) AS e (merchant_id, id, type)
  JOIN webhook_endpoints AS w ON w.merchant_id = e.merchant_id AND w.disabled_at IS NULL
   AND (w.event_types IS NULL OR e.type = ANY (w.event_types))
"""


# --- endpoints -------------------------------------------------------------------------------


async def insert_endpoint(tx: Tx, endpoint: Endpoint, enabled_max: int) -> bool:
    """False, and nothing written, if the merchant has `enabled_max` enabled ones already."""
    row = await tx.fetchrow(
        _INSERT_ENDPOINT,
        endpoint.merchant_id,
        endpoint.id,
        endpoint.url,
        endpoint.event_types,
        endpoint.created_at,
        enabled_max,
    )
    return row is not None


async def endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    row = await tx.fetchrow(_ENDPOINT, merchant_id, endpoint_id)
    return _endpoint(row) if row is not None else None


async def lock_endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    """One change at a time; events are still published to it meanwhile."""
    row = await tx.fetchrow(_ENDPOINT + " FOR NO KEY UPDATE", merchant_id, endpoint_id)
    return _endpoint(row) if row is not None else None


async def list_endpoints(tx: Tx, merchant_id: UUID, page: Page) -> list[Endpoint]:
    """Newest first, one more than the page holds if there are more."""
    rows = await tx.fetch(_LIST_ENDPOINTS, merchant_id, page.after, page.limit + 1)
    return [_endpoint(row) for row in rows]


async def delete_endpoint(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, now: datetime
) -> Endpoint | None:
    """The endpoint, disabled now or before, from now on for good."""
    row = await tx.fetchrow(_DELETE_ENDPOINT, merchant_id, endpoint_id, now)
    return _endpoint(row) if row is not None else None


async def disable_endpoint(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, reason: str, now: datetime
) -> Endpoint | None:
    """The endpoint with the number of the event that will tell of it; None if it is not enabled."""
    row = await tx.fetchrow(_DISABLE_ENDPOINT, merchant_id, endpoint_id, reason, now)
    return _endpoint(row) if row is not None else None


async def enable_endpoint(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, enabled_max: int, now: datetime
) -> Endpoint | None:
    """None, and nothing written, if the merchant has `enabled_max` enabled ones already."""
    row = await tx.fetchrow(_ENABLE_ENDPOINT, merchant_id, endpoint_id, enabled_max, now)
    return _endpoint(row) if row is not None else None


def _endpoint(row: Row) -> Endpoint:
    kinds = row["event_types"]
    plain = {name: row[name] for name in Endpoint.__slots__ if name != "event_types"}
    return Endpoint(**plain, event_types=tuple(kinds) if kinds is not None else None)


_INSERT_ENDPOINT = """
INSERT INTO webhook_endpoints (merchant_id, id, url, event_types, created_at)
SELECT $1, $2, $3, $4::text[], $5
 WHERE (SELECT count(*) FROM webhook_endpoints WHERE merchant_id = $1 AND disabled_at IS NULL) < $6
RETURNING id
"""

_ENDPOINT = "SELECT * FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2"

_LIST_ENDPOINTS = """
SELECT * FROM webhook_endpoints
 WHERE merchant_id = $1 AND ($2::uuid IS NULL OR id < $2)
 ORDER BY id DESC LIMIT $3
"""

_DELETE_ENDPOINT = """
UPDATE webhook_endpoints
   SET disabled_at = coalesce(disabled_at, $3), disabled_reason = 'deleted'
 WHERE merchant_id = $1 AND id = $2
RETURNING *
"""

_DISABLE_ENDPOINT = """
UPDATE webhook_endpoints
   SET disabled_at = $4, disabled_reason = $3, event_sequence = event_sequence + 1
 WHERE merchant_id = $1 AND id = $2 AND disabled_at IS NULL
RETURNING *
"""

_ENABLE_ENDPOINT = """
UPDATE webhook_endpoints
   SET disabled_at = NULL, disabled_reason = NULL, enabled_at = $4, failures = 0,
       failing_since = NULL
 WHERE merchant_id = $1 AND id = $2
   AND (SELECT count(*) FROM webhook_endpoints WHERE merchant_id = $1 AND disabled_at IS NULL) < $3
RETURNING *
"""


# --- reading events --------------------------------------------------------------------------


async def event(tx: Tx, merchant_id: UUID, event_id: UUID) -> StoredEvent | None:
    row = await tx.fetchrow(_EVENT, merchant_id, event_id)
    return _event(row) if row is not None else None


async def list_events(
    tx: Tx,
    merchant_id: UUID,
    page: Page,
    *,
    kind: str | None = None,
    payment_order_id: UUID | None = None,
) -> list[StoredEvent]:
    """Newest first, one more than the page holds if there are more."""
    sql = _LIST_EVENTS if payment_order_id is None else _LIST_EVENTS_OF_ORDER
    filters = [kind] if payment_order_id is None else [kind, payment_order_id]
    rows = await tx.fetch(sql, merchant_id, page.after, page.limit + 1, *filters)
    return [_event(row) for row in rows]


def _event(row: Row) -> StoredEvent:
    return StoredEvent(**{name: row[name] for name in StoredEvent.__slots__})


_EVENT = "SELECT * FROM events WHERE merchant_id = $1 AND id = $2"

_LIST_EVENTS = """
SELECT * FROM events
 WHERE merchant_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($4::text IS NULL OR type = $4)
 ORDER BY id DESC LIMIT $3
"""

# An order has a handful of events: found by its own index, then sorted.
_LIST_EVENTS_OF_ORDER = """
SELECT * FROM events
 WHERE merchant_id = $1 AND payment_order_id = $5
   AND ($2::uuid IS NULL OR id < $2) AND ($4::text IS NULL OR type = $4)
 ORDER BY id DESC LIMIT $3
"""


# --- delivering ------------------------------------------------------------------------------


async def claim_due(
    tx: Tx,
    now: datetime,
    *,
    limit: int,
    per_endpoint: int,
    on_the_way: Mapping[UUID, int],
    lease_s: int,
) -> list[Claimed]:
    """Take what is due, for `lease_s` seconds of the database's clock.

    At most `per_endpoint` for one endpoint, those counted in `on_the_way`, and the endpoints that
    wait longest come first: so a slow one holds up only itself, however much it is owed (F57).
    """
    away, counts = list(on_the_way), list(on_the_way.values())
    rows = await tx.fetch(_CLAIM_DUE, now, limit, per_endpoint, away, lease_s, counts)
    return [_claimed(row) for row in rows]


async def record_results(tx: Tx, results: Sequence[Result], now: datetime) -> dict[UUID, Written]:
    """Write the results, and how their endpoints fare; what was written, by the delivery's id.

    Missing ones had lost their claim (F83).
    """
    ordered = sorted(results, key=lambda result: result.delivery.id)
    rows = await tx.fetch(
        _RECORD_RESULTS,
        [result.delivery.merchant_id for result in ordered],
        [result.delivery.id for result in ordered],
        [result.delivery.fence for result in ordered],
        [result.state for result in ordered],
        [result.next_at for result in ordered],
        [result.status for result in ordered],
        [result.error for result in ordered],
        now,
        [result.is_failure for result in ordered],
    )
    return {row["id"]: Written(row["state"], row["failures"], row["failing_since"]) for row in rows}


async def redeliver(
    tx: Tx, event: StoredEvent, endpoint_id: UUID | None, now: datetime
) -> list[Delivery]:
    """Begin the event's deliveries anew, to all enabled endpoints that want it or to one of them.

    One that is on its way just now stays with its worker; see `_RECORD_RESULTS`.
    """
    rows = await tx.fetch(_REDELIVER, event.merchant_id, event.id, endpoint_id, now)
    return [_delivery(row) for row in rows]


async def deliveries_of(tx: Tx, merchant_id: UUID, event_id: UUID, page: Page) -> list[Delivery]:
    """One more than the page holds if there are more."""
    rows = await tx.fetch(_DELIVERIES_OF, merchant_id, event_id, page.after, page.limit + 1)
    return [_delivery(row) for row in rows]


def _delivery(row: Row) -> Delivery:
    return Delivery(**{name: row[name] for name in Delivery.__slots__})


def _claimed(row: Row) -> Claimed:
    return Claimed(**{name: row[name] for name in Claimed.__slots__})


# `waiting` hops through the index from endpoint to endpoint, so its cost grows with the number of
# endpoints that are owed something, not with what they are owed. What a disabled endpoint is owed
# is handed out at once, to be closed.
_CLAIM_DUE = """
WITH RECURSIVE waiting (merchant_id, endpoint_id, oldest) AS (
   (SELECT merchant_id, endpoint_id, next_at FROM deliveries
     WHERE state = 'pending'
     ORDER BY merchant_id, endpoint_id, next_at LIMIT 1)
     UNION ALL
    SELECT hop.* FROM waiting AS w, LATERAL (
        SELECT merchant_id, endpoint_id, next_at FROM deliveries
         WHERE state = 'pending' AND (merchant_id, endpoint_id) > (w.merchant_id, w.endpoint_id)
         ORDER BY merchant_id, endpoint_id, next_at LIMIT 1) AS hop
), owed AS (
    SELECT w.merchant_id, w.endpoint_id, e.url, e.disabled_at IS NOT NULL AS is_disabled,
           CASE WHEN e.disabled_at IS NULL THEN $1::timestamptz ELSE 'infinity' END AS due_by,
           $3 - coalesce(away.count, 0) AS room
      FROM waiting AS w
      JOIN webhook_endpoints AS e ON (e.merchant_id, e.id) = (w.merchant_id, w.endpoint_id)
      LEFT JOIN unnest($4::uuid[], $6::int[]) AS away (endpoint_id, count)
        ON away.endpoint_id = w.endpoint_id
     WHERE (w.oldest <= $1 OR e.disabled_at IS NOT NULL) AND coalesce(away.count, 0) < $3
     ORDER BY w.oldest
), due AS (
    SELECT mine.*, o.url, o.is_disabled FROM owed AS o, LATERAL (
        SELECT merchant_id, id FROM deliveries
         WHERE state = 'pending' AND merchant_id = o.merchant_id AND endpoint_id = o.endpoint_id
           AND next_at <= o.due_by
           AND (lease_until IS NULL OR lease_until < clock_timestamp())
         ORDER BY next_at LIMIT o.room FOR UPDATE SKIP LOCKED) AS mine
     LIMIT $2
), claimed AS (
    UPDATE deliveries AS d
       SET lease_until = clock_timestamp() + $5 * interval '1 second',
           fence = d.fence + 1, tries = d.tries + 1
      FROM due
     WHERE (d.merchant_id, d.id) = (due.merchant_id, due.id)
 RETURNING d.merchant_id, d.id, d.fence, d.tries, d.event_id, d.endpoint_id, due.url,
           due.is_disabled
)
SELECT c.*, e.body, m.mode = 'test' AS is_test
  FROM claimed AS c
  JOIN events AS e ON (e.merchant_id, e.id) = (c.merchant_id, c.event_id)
  JOIN merchants AS m ON m.merchant_id = c.merchant_id
"""

# A claim counts its try, so none at all means that somebody asked for the delivery while it was on
# its way: unless it arrived, it begins anew. Endpoints are written when they begin to fail, go on
# failing, or fail no more; while all is well they are only looked at. They are locked in the order
# of their ids, since two workers may have results of the same ones.
_RECORD_RESULTS = """
WITH written AS (
    UPDATE deliveries AS d
       SET state = CASE WHEN r.took OR d.tries > 0 THEN r.state ELSE 'pending' END,
           next_at = CASE WHEN r.took OR d.tries > 0 THEN r.next_at ELSE $8 END,
           finished_at = CASE WHEN r.took OR (d.tries > 0 AND r.state = 'exhausted') THEN $8 END,
           last_status = r.status, last_error = r.error, lease_until = NULL
      FROM (SELECT *, state = 'delivered' AS took
              FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[],
                          $6::int[], $7::text[], $9::boolean[])
                AS r (merchant_id, id, fence, state, next_at, status, error, is_failure)) AS r
     WHERE (d.merchant_id, d.id, d.fence) = (r.merchant_id, r.id, r.fence) AND d.state = 'pending'
 RETURNING d.merchant_id, d.id, d.endpoint_id, d.state, r.took, r.is_failure
), fared AS (
    SELECT merchant_id, endpoint_id, bool_or(took) AS took,
           count(*) FILTER (WHERE is_failure) AS failures
      FROM written GROUP BY merchant_id, endpoint_id
), changed AS (
    SELECT e.merchant_id, e.id, f.took, f.failures
      FROM fared AS f
      JOIN webhook_endpoints AS e ON (e.merchant_id, e.id) = (f.merchant_id, f.endpoint_id)
     WHERE e.disabled_at IS NULL
       AND CASE WHEN f.took THEN e.failures > 0 ELSE f.failures > 0 END
     ORDER BY e.merchant_id, e.id FOR NO KEY UPDATE OF e
), judged AS (
    UPDATE webhook_endpoints AS e
       SET failures = CASE WHEN c.took THEN 0 ELSE e.failures + c.failures END,
           failing_since = CASE WHEN NOT c.took THEN coalesce(e.failing_since, $8) END
      FROM changed AS c
     WHERE (e.merchant_id, e.id) = (c.merchant_id, c.id)
 RETURNING e.merchant_id, e.id, e.failures, e.failing_since
)
SELECT w.id, w.state, coalesce(j.failures, 0) AS failures, j.failing_since
  FROM written AS w
  LEFT JOIN judged AS j ON (j.merchant_id, j.id) = (w.merchant_id, w.endpoint_id)
"""

_REDELIVER = """
INSERT INTO deliveries AS d
       (merchant_id, id, event_id, endpoint_id, state, next_at, created_at, asked_again_at)
SELECT e.merchant_id, delivery_id(e.id, w.id), e.id, w.id, 'pending', $4, $4, $4
  FROM events AS e
  JOIN webhook_endpoints AS w ON w.merchant_id = e.merchant_id AND w.disabled_at IS NULL
   AND (w.event_types IS NULL OR e.type = ANY (w.event_types))
 WHERE e.merchant_id = $1 AND e.id = $2 AND ($3::uuid IS NULL OR w.id = $3)
 ORDER BY delivery_id(e.id, w.id)
    ON CONFLICT (merchant_id, id) DO UPDATE
   SET state = 'pending', tries = 0, next_at = excluded.next_at, finished_at = NULL,
       asked_again_at = excluded.asked_again_at,
       first_delivered_at = coalesce(d.first_delivered_at,
                                     CASE WHEN d.state = 'delivered' THEN d.finished_at END)
RETURNING *
"""

_DELIVERIES_OF = """
SELECT * FROM deliveries
 WHERE merchant_id = $1 AND event_id = $2 AND ($3::uuid IS NULL OR id < $3)
 ORDER BY id DESC LIMIT $4
"""
