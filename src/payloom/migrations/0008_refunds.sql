-- Money that goes back to a shopper: each row an intention, written before the PSP is asked.

CREATE TABLE refunds (
    merchant_id      uuid        NOT NULL,
    id               uuid        NOT NULL,
    payment_order_id uuid        NOT NULL,
    attempt_id       uuid        NOT NULL,
    connection_id    uuid        NOT NULL,
    number           int         NOT NULL CHECK (number > 0),
    purpose          text        NOT NULL CHECK (purpose IN ('surplus')),
    state            text        NOT NULL CHECK (state IN ('REQUESTED', 'PENDING', 'SUCCEEDED', 'FAILED')),
    amount           bigint      NOT NULL CHECK (amount > 0),
    currency         char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reason           text        NOT NULL CHECK (reason IN
        ('requested_by_customer', 'duplicate', 'fraudulent', 'other')),
    -- The request as rendered before it was first sent; resent byte for byte, never rebuilt (F64).
    request_body     text        NOT NULL,
    request_version  text        NOT NULL,
    request_key      text        NOT NULL,
    resend_until     timestamptz NOT NULL,
    psp_refund       text,
    last_error       jsonb,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, attempt_id, number),
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES payment_orders (merchant_id, id),
    FOREIGN KEY (merchant_id, payment_order_id, attempt_id)
        REFERENCES attempts (merchant_id, payment_order_id, id),
    FOREIGN KEY (merchant_id, connection_id) REFERENCES connections (merchant_id, id),
    -- What the PSP says of a refund is about one that it has.
    CHECK (state NOT IN ('PENDING', 'SUCCEEDED') OR psp_refund IS NOT NULL)
);
CREATE INDEX refunds_by_order ON refunds (merchant_id, payment_order_id);
COMMENT ON INDEX refunds_by_order IS 'the timeline of one order; foreign key';
CREATE UNIQUE INDEX refunds_one_surplus ON refunds (merchant_id, attempt_id)
    WHERE purpose = 'surplus' AND state <> 'FAILED';
COMMENT ON INDEX refunds_one_surplus IS 'unwanted money goes back once';
CREATE UNIQUE INDEX refunds_psp_refund ON refunds (merchant_id, connection_id, psp_refund)
    WHERE psp_refund IS NOT NULL;
COMMENT ON INDEX refunds_psp_refund IS 'one refund at the PSP is one of ours';

-- The second keeper of refunds/states.py: a test compares the two.
CREATE TABLE refund_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO refund_transitions (from_state, to_state) VALUES
    ('REQUESTED', 'PENDING'), ('REQUESTED', 'SUCCEEDED'), ('REQUESTED', 'FAILED'),
    ('PENDING', 'SUCCEEDED'), ('PENDING', 'FAILED'),
    ('SUCCEEDED', 'FAILED');

CREATE FUNCTION refund_moves_along_the_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM refund_transitions
                    WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'refund %: % may not become %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_moves_along_the_table BEFORE UPDATE OF state ON refunds
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION refund_moves_along_the_table();

-- Unwanted money is returned whole, and only an attempt that took it can be.
CREATE FUNCTION surplus_is_returned_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM attempts AS a
          JOIN payment_orders AS o ON o.merchant_id = a.merchant_id AND o.id = a.payment_order_id
         WHERE a.merchant_id = NEW.merchant_id AND a.id = NEW.attempt_id AND a.state = 'SUCCEEDED'
           AND a.id IS DISTINCT FROM o.paid_by_attempt
           AND (a.amount, a.currency, a.connection_id)
             = (NEW.amount, NEW.currency, NEW.connection_id)) THEN
        RAISE EXCEPTION 'refund %: attempt % has no such money to return', NEW.id, NEW.attempt_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER surplus_is_returned_whole BEFORE INSERT ON refunds
    FOR EACH ROW WHEN (NEW.purpose = 'surplus') EXECUTE FUNCTION surplus_is_returned_whole();

GRANT SELECT, INSERT, UPDATE ON refunds TO payloom_app;
GRANT SELECT ON refund_transitions TO payloom_app;
GRANT SELECT ON refunds TO payloom_reader;
ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;
CREATE POLICY reader ON refunds FOR SELECT TO payloom_reader
    USING (merchant_id = nullif(current_setting('payloom.merchant_id', true), '')::uuid);
CREATE POLICY app ON refunds TO payloom_app USING (true) WITH CHECK (true);
