"""All SQL of the audit. Each query gives (merchant_id, prefix, id, detail) of what is wrong.

`$1` is now in business time; `$2` is how old a thing must be before the lack of another counts.
"""

# --- I1: registered once ---------------------------------------------------------------------

REFERENCE_TWICE = """
SELECT merchant_id, 'mer' AS prefix, merchant_id AS id,
       format('%s orders have the reference %s', count(*), reference) AS detail
  FROM payment_orders
 GROUP BY merchant_id, reference
HAVING count(*) > 1
"""

KEY_TWICE = """
SELECT merchant_id, 'mer' AS prefix, merchant_id AS id,
       format('%s answers are kept for the key %s', count(*), key) AS detail
  FROM idempotency_keys
 GROUP BY merchant_id, key
HAVING count(*) > 1
"""

ANSWER_WITHOUT_ORDER = """
SELECT k.merchant_id, 'mer' AS prefix, k.merchant_id AS id,
       format('the key %s was answered with an order that does not exist', k.key) AS detail
  FROM (SELECT merchant_id, key,
               CASE WHEN status < 300 THEN convert_from(body, 'UTF8')::jsonb END AS told
          FROM idempotency_keys) AS k
 WHERE k.told ? 'payment_order_status'
   AND NOT EXISTS (SELECT FROM payment_orders AS o
                    WHERE o.merchant_id = k.merchant_id
                      AND o.reference = k.told ->> 'reference'
                      AND o.amount = (k.told ->> 'amount')::bigint
                      AND o.currency = k.told ->> 'currency')
"""

# --- I2, I19: what nobody wants goes back, once ----------------------------------------------

SURPLUS_KEPT = """
SELECT a.merchant_id, 'att' AS prefix, a.id,
       'took money that nobody wants, and nobody returns it' AS detail
  FROM attempts AS a
  JOIN payment_orders AS o ON o.merchant_id = a.merchant_id AND o.id = a.payment_order_id
 WHERE a.state = 'SUCCEEDED' AND a.id IS DISTINCT FROM o.paid_by_attempt AND o.attention IS NULL
   AND NOT EXISTS (SELECT FROM refunds AS r
                    WHERE r.merchant_id = a.merchant_id AND r.attempt_id = a.id
                      AND r.state NOT IN ('FAILED', 'CANCELED'))
   AND NOT EXISTS (SELECT FROM jobs AS j
                    WHERE j.merchant_id = a.merchant_id AND j.kind = 'return_surplus'
                      AND j.subject = a.id)
"""

REFUNDED_TOO_MUCH = """
SELECT a.merchant_id, 'att' AS prefix, a.id,
       format('refunds of %s were asked for, of %s that was taken', sum(r.amount),
              CASE WHEN a.state = 'SUCCEEDED' THEN a.amount ELSE 0 END) AS detail
  FROM refunds AS r
  JOIN attempts AS a ON a.merchant_id = r.merchant_id AND a.id = r.attempt_id
 WHERE r.state NOT IN ('FAILED', 'CANCELED') AND r.purpose <> 'psp'
 GROUP BY a.merchant_id, a.id, a.state, a.amount, a.currency
HAVING sum(r.amount) > CASE WHEN a.state = 'SUCCEEDED' THEN a.amount ELSE 0 END
    OR bool_or(r.currency <> a.currency)
"""

REFUNDS_MISCOUNTED = """
SELECT o.merchant_id, 'po' AS prefix, o.id,
       format('%s is counted as asked to be given back, its refunds are %s',
              o.amount_refund_asked, coalesce(r.asked, 0)) AS detail
  FROM payment_orders AS o
  LEFT JOIN (SELECT merchant_id, payment_order_id, sum(amount) AS asked
               FROM refunds
              WHERE purpose = 'request' AND state NOT IN ('FAILED', 'CANCELED')
              GROUP BY merchant_id, payment_order_id) AS r
    ON r.merchant_id = o.merchant_id AND r.payment_order_id = o.id
 WHERE o.amount_refund_asked <> coalesce(r.asked, 0)
"""

# --- I4: somebody asks -----------------------------------------------------------------------

# A look-up's row is there from the order's first statement until the attempt is decided, or until
# nobody can say any more after 14 days.
NOBODY_ASKS = """
SELECT a.merchant_id, 'att' AS prefix, a.id, format('%s, and nobody will ask', a.state) AS detail
  FROM attempts AS a
 WHERE a.state IN ('REGISTERING', 'OPEN', 'PROCESSING')
   AND a.created_at > $1::timestamptz - interval '14 days'
   AND NOT EXISTS (SELECT FROM jobs AS j
                    WHERE j.merchant_id = a.merchant_id AND j.kind = 'look_up'
                      AND j.subject = a.id)
"""

NOBODY_ASKS_ABOUT_A_REFUND = """
SELECT r.merchant_id, 'rfd' AS prefix, r.id, format('%s, and nobody will ask', r.state) AS detail
  FROM refunds AS r
 WHERE r.state IN ('REQUESTED', 'REQUIRES_ACTION', 'PENDING')
   AND NOT EXISTS (SELECT FROM jobs AS j
                    WHERE j.merchant_id = r.merchant_id
                      AND (j.kind, j.subject) IN (('refund', r.id),
                                                  ('return_surplus', r.attempt_id)))
"""

# --- I5: no false failure --------------------------------------------------------------------

END_WITHOUT_ANSWER = """
SELECT a.merchant_id, 'att' AS prefix, a.id,
       format('%s, and no answer of the PSP says so', a.state) AS detail
  FROM attempts AS a
  JOIN (VALUES ('REFUSED', 'Refused'), ('FAILED', 'Failed'), ('EXPIRED', 'Expired'),
               ('CANCELED', 'Canceled')) AS ends (state, outcome) ON ends.state = a.state
 WHERE NOT EXISTS (SELECT FROM payment_log AS l
                    WHERE l.merchant_id = a.merchant_id
                      AND l.payment_order_id = a.payment_order_id
                      AND l.attempt_id = a.id AND l.to_state = a.state
                      AND l.outcome = ends.outcome
                      AND l.cause IN ('psp_answer', 'notice', 'return', 'look_up'))
   AND NOT (a.state = 'CANCELED' AND a.asked_at IS NULL)  -- never sent: nothing to be told
"""

FAILED_ORDER_OF_LIVE_ATTEMPT = """
SELECT o.merchant_id, 'po' AS prefix, o.id,
       format('FAILED although its attempt is %s', a.state) AS detail
  FROM payment_orders AS o
  JOIN attempts AS a ON a.merchant_id = o.merchant_id AND a.id = o.current_attempt
 WHERE o.payment_order_status = 'FAILED' AND a.state NOT IN ('FAILED', 'REFUSED')
"""

# --- I6: paid implies evidence ---------------------------------------------------------------

# Evidence and posting are written by one call of `record`, so they carry the same time.
PAID_WITHOUT_EVIDENCE = """
SELECT merchant_id, 'po' AS prefix, id, detail FROM (
    SELECT o.merchant_id, o.id,
           CASE WHEN a.id IS NULL THEN 'paid by no attempt of its own'
                WHEN a.state <> 'SUCCEEDED' THEN 'paid by an attempt that is ' || a.state
                WHEN (a.amount, a.currency) <> (o.amount, o.currency)
                THEN 'paid by an attempt of another amount or currency'
                WHEN NOT EXISTS (
                    SELECT FROM payment_log AS l
                     WHERE l.merchant_id = o.merchant_id AND l.payment_order_id = o.id
                       AND l.attempt_id = a.id AND l.to_state = 'SUCCEEDED'
                       AND l.outcome = 'Paid' AND l.cause IN ('notice', 'return', 'look_up'))
                THEN 'no notice, return or look-up says that it was paid'
                WHEN NOT EXISTS (
                    SELECT FROM payment_log AS l
                      JOIN ledger_postings AS p ON p.merchant_id = l.merchant_id
                       AND p.payment_order_id = l.payment_order_id AND p.at = l.at
                      JOIN ledger_entries AS e ON e.merchant_id = p.merchant_id
                       AND e.posting_id = p.id
                      JOIN ledger_accounts AS c ON c.merchant_id = e.merchant_id
                       AND c.id = e.account_id
                     WHERE l.merchant_id = o.merchant_id AND l.payment_order_id = o.id
                       AND l.attempt_id = a.id AND l.to_state = 'SUCCEEDED'
                       AND l.outcome = 'Paid' AND p.kind = 'captured'
                       AND c.code = 'psp_receivable' AND c.owner = a.connection_id
                       AND (e.amount, e.currency) = (o.amount, o.currency))
                THEN 'its amount was not booked as captured with the evidence'
           END AS detail
      FROM payment_orders AS o
      LEFT JOIN attempts AS a ON a.merchant_id = o.merchant_id
       AND a.payment_order_id = o.id AND a.id = o.paid_by_attempt
     WHERE o.payment_order_status = 'SUCCEEDED') AS paid
 WHERE detail IS NOT NULL
"""

# --- I7: monotone states ---------------------------------------------------------------------

# One version may hold several steps: they are put in order by how far along the states they
# begin. A step from a state to itself is a remark in the log, not a move.
STEP_OFF_THE_TABLE = """
SELECT s.merchant_id, 'att' AS prefix, s.attempt_id AS id,
       format('version %s goes from %s to %s, having stood in %s', s.version,
              coalesce(s.from_state, 'nothing'), s.to_state,
              coalesce(s.stood_in, 'nothing')) AS detail
  FROM (SELECT merchant_id, attempt_id, version, from_state, to_state,
               lag(to_state) OVER (
                   PARTITION BY merchant_id, attempt_id
                   ORDER BY version, coalesce(array_position(
                       ARRAY['', 'REGISTERING', 'OPEN', 'PROCESSING', 'AUTHORIZED'],
                       coalesce(from_state, '')), 9)) AS stood_in
          FROM payment_log) AS s
 WHERE s.from_state IS DISTINCT FROM s.stood_in
    OR (s.from_state IS NULL AND s.to_state <> 'REGISTERING')
    OR (s.from_state <> s.to_state
        AND NOT EXISTS (SELECT FROM attempt_transitions AS t
                         WHERE t.from_state = s.from_state AND t.to_state = s.to_state))
"""

# In a path each state is left as often as it is entered, but for the last one, entered once more.
HISTORY_ENDS_ELSEWHERE = """
SELECT a.merchant_id, 'att' AS prefix, a.id,
       format('%s, which is not where its history ends', a.state) AS detail
  FROM attempts AS a
 WHERE (SELECT count(*) FILTER (WHERE l.to_state = a.state)
             - count(*) FILTER (WHERE l.from_state = a.state)
          FROM payment_log AS l
         WHERE l.merchant_id = a.merchant_id AND l.payment_order_id = a.payment_order_id
           AND l.attempt_id = a.id) <> 1
"""

VERSIONS_WITH_GAPS = """
SELECT o.merchant_id, 'po' AS prefix, o.id,
       format('%s in version %s, but its log has versions %s and ends in %s',
              o.payment_order_status, o.version,
              coalesce(string_agg(DISTINCT l.version::text, ' '), 'none'),
              coalesce(string_agg(DISTINCT l.to_status, ' or ')
                       FILTER (WHERE l.version = o.version), 'another version')) AS detail
  FROM payment_orders AS o
  LEFT JOIN payment_log AS l ON l.merchant_id = o.merchant_id AND l.payment_order_id = o.id
 GROUP BY o.merchant_id, o.id, o.version, o.payment_order_status
HAVING count(DISTINCT l.version) <> o.version
    OR min(l.version) <> 1
    OR max(l.version) <> o.version
    OR bool_or(l.version = o.version AND l.to_status = o.payment_order_status) IS NOT TRUE
"""

# --- I8, I11: the amounts of orders ----------------------------------------------------------

_BOOKED = """
WITH booked AS (
    SELECT p.merchant_id, p.payment_order_id, e.currency,
           coalesce(-sum(e.amount) FILTER (WHERE p.kind = 'captured'), 0) AS captured,
           coalesce(sum(e.amount) FILTER (WHERE p.kind <> 'captured'), 0) AS refunded
      FROM ledger_postings AS p
      JOIN ledger_entries AS e ON e.merchant_id = p.merchant_id AND e.posting_id = p.id
      JOIN ledger_accounts AS c ON c.merchant_id = e.merchant_id AND c.id = e.account_id
     WHERE (p.kind, c.code) IN (('captured', 'merchant_pending'),
                                ('refund_succeeded', 'refunds_in_flight'),
                                ('refund_failed', 'merchant_pending'))
     GROUP BY p.merchant_id, p.payment_order_id, e.currency
)
"""

AMOUNTS_OUT_OF_BOUNDS = """
SELECT merchant_id, 'po' AS prefix, id,
       format('captured %s and refunded %s of %s', amount_captured, amount_refunded,
              amount) AS detail
  FROM payment_orders
 WHERE NOT (0 <= amount_refunded AND amount_captured <= amount
            AND (amount_refunded <= amount_captured
                 OR attention IS NOT DISTINCT FROM 'refunds_exceed_payment'))
"""

_OUT_OF_BOUNDS = """
SELECT o.merchant_id, 'po' AS prefix, o.id,
       format('the books captured %s and refunded %s of %s', b.captured, b.refunded,
              o.amount) AS detail
  FROM booked AS b
  JOIN payment_orders AS o ON o.merchant_id = b.merchant_id AND o.id = b.payment_order_id
 WHERE NOT (0 <= b.refunded AND b.captured <= o.amount
            AND (b.refunded <= b.captured
                 OR o.attention IS NOT DISTINCT FROM 'refunds_exceed_payment'))
"""

_DIFFERS = """
SELECT merchant_id, 'po' AS prefix, coalesce(o.id, b.payment_order_id) AS id,
       format('captured %s, refunded %s; the books say %s and %s %s',
              coalesce(o.amount_captured, 0), coalesce(o.amount_refunded, 0),
              coalesce(b.captured, 0), coalesce(b.refunded, 0), currency) AS detail
  FROM (SELECT *, id AS payment_order_id FROM payment_orders) AS o
  FULL JOIN booked AS b USING (merchant_id, payment_order_id, currency)
 WHERE coalesce(o.amount_captured, 0) <> coalesce(b.captured, 0)
    OR coalesce(o.amount_refunded, 0) <> coalesce(b.refunded, 0)
"""

BOOKS_OUT_OF_BOUNDS = _BOOKED + _OUT_OF_BOUNDS
ORDER_AND_BOOKS_DIFFER = _BOOKED + _DIFFERS

# --- I9, I10: balanced books -----------------------------------------------------------------

POSTING_TOO_SMALL = """
SELECT p.merchant_id, 'pst' AS prefix, p.id, format('has %s entries', count(e.id)) AS detail
  FROM ledger_postings AS p
  LEFT JOIN ledger_entries AS e ON e.merchant_id = p.merchant_id AND e.posting_id = p.id
 GROUP BY p.merchant_id, p.id
HAVING count(e.id) < 2
"""

POSTING_OFF_BALANCE = """
SELECT p.merchant_id, 'pst' AS prefix, p.id,
       format('is off by %s %s', sum(e.amount), e.currency) AS detail
  FROM ledger_postings AS p
  JOIN ledger_entries AS e ON e.merchant_id = p.merchant_id AND e.posting_id = p.id
 GROUP BY p.merchant_id, p.id, e.currency
HAVING sum(e.amount) <> 0
"""

BOOKS_OFF_BALANCE = """
SELECT merchant_id, 'mer' AS prefix, merchant_id AS id,
       format('all entries are off by %s %s', sum(amount), currency) AS detail
  FROM ledger_entries
 GROUP BY merchant_id, currency
HAVING sum(amount) <> 0
"""

ENTRY_IN_WRONG_ACCOUNT = """
SELECT e.merchant_id, 'ent' AS prefix, e.id,
       format('%s %s in an account of %s', e.amount, e.currency,
              coalesce(c.currency, 'nobody')) AS detail
  FROM ledger_entries AS e
  LEFT JOIN ledger_accounts AS c ON c.merchant_id = e.merchant_id AND c.id = e.account_id
 WHERE c.currency IS DISTINCT FROM e.currency
"""

# --- I13: no lost notice ---------------------------------------------------------------------

NOTICE_LOST = """
SELECT s.merchant_id, 'ntc' AS prefix, s.notice_id AS id,
       format('%s was acknowledged and is not kept', s.psp_event) AS detail
  FROM notices_seen AS s
  LEFT JOIN notices AS n ON n.merchant_id = s.merchant_id AND n.id = s.notice_id
 WHERE n.id IS NULL
"""

NOTICE_LEFT_LYING = """
SELECT merchant_id, 'ntc' AS prefix, id,
       format('%s has been due for %s', type, $1::timestamptz - next_at) AS detail
  FROM notices
 WHERE state = 'stored' AND next_at < $1 - interval '5 minutes'
"""

# --- I16: what changed is told ---------------------------------------------------------------

EVENTS_WITH_GAPS = """
SELECT o.merchant_id, 'po' AS prefix, o.id,
       format('has told %s events, numbered %s', o.event_sequence,
              coalesce(string_agg(e.sequence::text, ' ' ORDER BY e.sequence), 'none')) AS detail
  FROM payment_orders AS o
  LEFT JOIN events AS e ON e.merchant_id = o.merchant_id AND e.payment_order_id = o.id
 GROUP BY o.merchant_id, o.id, o.event_sequence
HAVING count(e.id) <> o.event_sequence
    OR count(DISTINCT e.sequence) <> o.event_sequence
    OR coalesce(max(e.sequence), 0) <> o.event_sequence
"""

ENDPOINT_EVENTS_WITH_GAPS = """
SELECT w.merchant_id, 'whe' AS prefix, w.id,
       format('has told %s events of itself, numbered %s', w.event_sequence,
              coalesce(string_agg(e.sequence::text, ' ' ORDER BY e.sequence), 'none')) AS detail
  FROM webhook_endpoints AS w
  LEFT JOIN events AS e ON e.merchant_id = w.merchant_id AND e.webhook_endpoint_id = w.id
 GROUP BY w.merchant_id, w.id, w.event_sequence
HAVING count(e.id) <> w.event_sequence
    OR count(DISTINCT e.sequence) <> w.event_sequence
    OR coalesce(max(e.sequence), 0) <> w.event_sequence
"""

# An event is written by the same call of `record` as the change, so it carries the same time.
CHANGE_UNTOLD = """
SELECT l.merchant_id, 'po' AS prefix, l.payment_order_id AS id,
       format('became %s, and no event was written with that', l.to_status) AS detail
  FROM payment_log AS l
 WHERE l.from_status <> l.to_status
   AND l.to_status <> 'CREATED'  -- a new attempt, of which there is nothing to tell yet
   AND NOT EXISTS (SELECT FROM events AS e
                    WHERE e.merchant_id = l.merchant_id
                      AND e.payment_order_id = l.payment_order_id AND e.at = l.at)
"""

SWITCH_OFF_UNTOLD = """
SELECT w.merchant_id, 'whe' AS prefix, w.id,
       format('was switched off as %s, and no event was written with that',
              w.disabled_reason) AS detail
  FROM webhook_endpoints AS w
 WHERE w.disabled_reason <> 'deleted'
   AND NOT EXISTS (SELECT FROM events AS e
                    WHERE e.merchant_id = w.merchant_id AND e.webhook_endpoint_id = w.id
                      AND e.at = w.disabled_at)
"""

# An endpoint may be made, enabled or disabled while the event is: what is younger than $2 does not
# count. Of one that was enabled again, what came before is not known any more.
EVENT_NOT_OWED = """
SELECT e.merchant_id, 'evt' AS prefix, e.id,
       format('%s has no delivery to the endpoint %s', e.type, w.id) AS detail
  FROM events AS e
  JOIN webhook_endpoints AS w ON w.merchant_id = e.merchant_id
   AND coalesce(w.enabled_at, w.created_at) <= e.at - $2::interval
   AND (w.disabled_at IS NULL OR w.disabled_at > e.at + $2::interval)
   AND (w.event_types IS NULL OR e.type = ANY (w.event_types))
 WHERE NOT EXISTS (SELECT FROM deliveries AS d
                    WHERE d.merchant_id = e.merchant_id AND d.event_id = e.id
                      AND d.endpoint_id = w.id)
"""

EVENT_BODY_DIFFERS = """
SELECT merchant_id, 'evt' AS prefix, id,
       format('its body says %s, number %s', told ->> 'type', told ->> 'sequence') AS detail
  FROM (SELECT merchant_id, id, type, sequence, body::jsonb AS told FROM events) AS e
 WHERE (told ->> 'type', told ->> 'sequence') IS DISTINCT FROM (type, sequence::text)
"""
