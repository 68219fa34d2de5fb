-- Refunds that a shop asks for, bounded while they are asked for, and those that somebody started
-- at the PSP without us.

-- What was asked to be given back: undecided refunds count, refunds that never left do not.
ALTER TABLE payment_orders
    ADD COLUMN amount_refund_asked bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT payment_orders_refunds_asked
        CHECK (amount_refund_asked BETWEEN 0 AND amount_captured);

CREATE INDEX attempts_psp_payment ON attempts (merchant_id, connection_id, psp_payment)
    WHERE psp_payment IS NOT NULL;
COMMENT ON INDEX attempts_psp_payment IS
    'payments.queries.attempts_of_psp_payments: what a PSP tells of a payment without naming our id';

ALTER TABLE refunds
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    -- The shop's Idempotency-Key: an answer that was not final is kept under no key, and who repeats
    -- the request must find this refund, not make another.
    ADD COLUMN shop_key text CHECK (shop_key IS NULL OR purpose = 'request'),
    ALTER COLUMN request_body DROP NOT NULL,
    ALTER COLUMN request_version DROP NOT NULL,
    ALTER COLUMN request_key DROP NOT NULL,
    ALTER COLUMN resend_until DROP NOT NULL,
    DROP CONSTRAINT refunds_purpose_check,
    ADD CONSTRAINT refunds_purpose_check CHECK (purpose IN ('surplus', 'request', 'psp')),
    DROP CONSTRAINT refunds_state_check,
    ADD CONSTRAINT refunds_state_check CHECK (state IN
        ('REQUESTED', 'PENDING', 'REQUIRES_ACTION', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    -- What we ask for is written before it is asked; of what others started there is nothing to send.
    ADD CONSTRAINT refunds_request_is_stored CHECK (
        num_nulls(request_body, request_version, request_key, resend_until)
        = CASE WHEN purpose = 'psp' THEN 4 ELSE 0 END),
    ADD CONSTRAINT refunds_of_the_psp_has_its_id CHECK (purpose <> 'psp' OR psp_refund IS NOT NULL),
    ADD CONSTRAINT refunds_what_needs_action_is_there CHECK (
        state <> 'REQUIRES_ACTION' OR psp_refund IS NOT NULL);

DROP INDEX refunds_one_surplus;
CREATE UNIQUE INDEX refunds_one_surplus ON refunds (merchant_id, attempt_id)
    WHERE purpose = 'surplus' AND state NOT IN ('FAILED', 'CANCELED');
COMMENT ON INDEX refunds_one_surplus IS 'unwanted money goes back once';

CREATE UNIQUE INDEX refunds_shop_key ON refunds (merchant_id, payment_order_id, shop_key)
    WHERE shop_key IS NOT NULL;
COMMENT ON INDEX refunds_shop_key IS 'a request of the shop makes one refund, however often it comes';

INSERT INTO refund_transitions (from_state, to_state) VALUES
    ('REQUESTED', 'REQUIRES_ACTION'), ('REQUESTED', 'CANCELED'),
    ('REQUIRES_ACTION', 'PENDING'), ('REQUIRES_ACTION', 'SUCCEEDED'),
    ('REQUIRES_ACTION', 'FAILED'), ('REQUIRES_ACTION', 'CANCELED'),
    ('PENDING', 'CANCELED');

-- A refund that is asked for is of the attempt that paid the order, and counted in it already.
CREATE FUNCTION refund_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payment_orders AS o
          JOIN attempts AS a ON a.merchant_id = o.merchant_id AND a.id = o.paid_by_attempt
         WHERE o.merchant_id = NEW.merchant_id AND o.id = NEW.payment_order_id
           AND (a.id, a.currency, a.connection_id)
             = (NEW.attempt_id, NEW.currency, NEW.connection_id)
           AND o.amount_refund_asked >= NEW.amount + (
               SELECT coalesce(sum(r.amount), 0) FROM refunds AS r
                WHERE r.merchant_id = NEW.merchant_id
                  AND r.payment_order_id = NEW.payment_order_id
                  AND r.purpose = 'request' AND r.state NOT IN ('FAILED', 'CANCELED'))) THEN
        RAISE EXCEPTION 'refund %: more than what payment order % took and has left',
                        NEW.id, NEW.payment_order_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_is_counted BEFORE INSERT ON refunds
    FOR EACH ROW WHEN (NEW.purpose = 'request') EXECUTE FUNCTION refund_is_counted();
