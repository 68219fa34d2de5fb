-- Payment orders, their attempts, and the log of everything that moved them.

CREATE TABLE payment_orders (
    merchant_id          uuid        NOT NULL REFERENCES merchants,
    id                   uuid        NOT NULL,
    reference            text        NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 120),
    fingerprint          bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    payment_order_status text        NOT NULL CHECK (payment_order_status IN
        ('CREATED', 'PENDING', 'PROCESSING', 'AUTHORIZED', 'SUCCEEDED', 'FAILED', 'CANCELED', 'EXPIRED')),
    version              int         NOT NULL CHECK (version > 0),
    event_sequence       int         NOT NULL CHECK (event_sequence >= 0),
    payment_type         text        NOT NULL CHECK (payment_type IN ('SALE', 'RECC')),
    payment_method       text        NOT NULL CHECK (payment_method IN ('APM', 'CARD')),
    method_types         text[]      NOT NULL,
    psp                  text        NOT NULL,
    amount               bigint      NOT NULL CHECK (amount > 0),
    currency             char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    capture              text        NOT NULL CHECK (capture IN ('automatic', 'manual')),
    amount_captured      bigint      NOT NULL DEFAULT 0 CHECK (amount_captured >= 0),
    amount_refunded      bigint      NOT NULL DEFAULT 0 CHECK (amount_refunded >= 0),
    amount_disputed      bigint      NOT NULL DEFAULT 0 CHECK (amount_disputed >= 0),
    return_url           text        NOT NULL,
    cancel_url           text,
    locale               text,
    description          text,
    customer             jsonb,
    customer_id          text        GENERATED ALWAYS AS (customer ->> 'id') STORED,
    line_items           jsonb       NOT NULL DEFAULT '[]',
    metadata             jsonb       NOT NULL DEFAULT '{}',
    last_error           jsonb,
    attention            text,
    method               jsonb,
    current_attempt      uuid        NOT NULL,
    paid_by_attempt      uuid,
    cancel_requested_at  timestamptz,
    expires_at           timestamptz NOT NULL,
    correlation_id       text        NOT NULL,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    -- The natural key: it never expires, so a retry after years still finds its order (F05).
    UNIQUE (merchant_id, reference),
    -- Paid means: by one of our attempts (I6); what does not fit never gets this far.
    CHECK ((payment_order_status = 'SUCCEEDED') = (paid_by_attempt IS NOT NULL)),
    CHECK (payment_order_status <> 'SUCCEEDED' OR amount_captured > 0)
);
CREATE INDEX payment_orders_by_status ON payment_orders (merchant_id, payment_order_status, id DESC);
COMMENT ON INDEX payment_orders_by_status IS 'payments.queries.list_orders filtered by status';
CREATE INDEX payment_orders_by_customer ON payment_orders (merchant_id, customer_id, id DESC)
    WHERE customer_id IS NOT NULL;
COMMENT ON INDEX payment_orders_by_customer IS 'payments.queries.list_orders filtered by customer';

CREATE TABLE attempts (
    merchant_id      uuid        NOT NULL,
    id               uuid        NOT NULL,
    payment_order_id uuid        NOT NULL,
    number           int         NOT NULL CHECK (number > 0),
    connection_id    uuid        NOT NULL,
    psp              text        NOT NULL,
    state            text        NOT NULL CHECK (state IN
        ('REGISTERING', 'OPEN', 'PROCESSING', 'AUTHORIZED', 'SUCCEEDED', 'FAILED', 'CANCELED', 'EXPIRED', 'REFUSED')),
    amount           bigint      NOT NULL CHECK (amount > 0),
    currency         char(3)     NOT NULL,
    -- The request as rendered before it was first sent; resent byte for byte, never rebuilt (F13).
    request_body     text        NOT NULL,
    request_version  text        NOT NULL,
    request_key      text        NOT NULL,
    resend_until     timestamptz NOT NULL,
    token            text,
    redirect_url     text,
    psp_payment      text,
    return_token     bytea       NOT NULL CHECK (octet_length(return_token) = 16),
    expires_at       timestamptz NOT NULL,
    last_error       jsonb,
    method           jsonb,
    asked_at         timestamptz,
    answered_at      timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, payment_order_id, number),
    UNIQUE (merchant_id, payment_order_id, id),
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES payment_orders (merchant_id, id),
    FOREIGN KEY (merchant_id, connection_id) REFERENCES connections (merchant_id, id),
    -- Nobody sees a page whose token we have not stored (F26).
    CHECK (state <> 'OPEN' OR (token IS NOT NULL AND redirect_url IS NOT NULL))
);
CREATE UNIQUE INDEX attempts_id ON attempts (id);
COMMENT ON INDEX attempts_id IS 'payments.queries.payment_of_attempt: a returning shopper names nothing else';
CREATE UNIQUE INDEX attempts_token ON attempts (merchant_id, connection_id, token) WHERE token IS NOT NULL;
COMMENT ON INDEX attempts_token IS 'one PSP session belongs to one attempt (F27)';
CREATE UNIQUE INDEX attempts_one_live ON attempts (merchant_id, payment_order_id)
    WHERE state IN ('REGISTERING', 'OPEN', 'PROCESSING', 'AUTHORIZED');
COMMENT ON INDEX attempts_one_live IS 'at most one page per order is open or being opened (F06)';

ALTER TABLE payment_orders
    ADD FOREIGN KEY (merchant_id, id, current_attempt)
        REFERENCES attempts (merchant_id, payment_order_id, id) DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (merchant_id, id, paid_by_attempt)
        REFERENCES attempts (merchant_id, payment_order_id, id);

-- The second keeper of the state table (payments/states.py): a test compares the two.
CREATE TABLE attempt_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO attempt_transitions (from_state, to_state) VALUES
    ('REGISTERING', 'OPEN'), ('REGISTERING', 'REFUSED'), ('REGISTERING', 'EXPIRED'), ('REGISTERING', 'CANCELED'),
    ('OPEN', 'PROCESSING'), ('OPEN', 'AUTHORIZED'), ('OPEN', 'SUCCEEDED'), ('OPEN', 'EXPIRED'), ('OPEN', 'CANCELED'),
    ('PROCESSING', 'SUCCEEDED'), ('PROCESSING', 'AUTHORIZED'), ('PROCESSING', 'FAILED'),
    ('AUTHORIZED', 'SUCCEEDED'), ('AUTHORIZED', 'CANCELED'), ('AUTHORIZED', 'EXPIRED'),
    ('FAILED', 'SUCCEEDED'), ('EXPIRED', 'SUCCEEDED'), ('CANCELED', 'SUCCEEDED'), ('REFUSED', 'SUCCEEDED');

CREATE FUNCTION attempt_moves_along_the_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM attempt_transitions
                    WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'attempt %: % may not become %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attempt_moves_along_the_table BEFORE UPDATE OF state ON attempts
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION attempt_moves_along_the_table();

-- An order's version counts its changes one by one (I7), whoever writes them.
CREATE FUNCTION order_version_steps_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <> OLD.version + 1 OR NEW.event_sequence < OLD.event_sequence THEN
        RAISE EXCEPTION 'payment order %: version % may not follow %', NEW.id, NEW.version, OLD.version
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_version_steps_by_one BEFORE UPDATE ON payment_orders
    FOR EACH ROW EXECUTE FUNCTION order_version_steps_by_one();

-- What moved an order or attempt, and why. Append only; no unique key, so it can be split by time.
CREATE TABLE payment_log (
    merchant_id      uuid        NOT NULL,
    payment_order_id uuid        NOT NULL,
    version          int         NOT NULL CHECK (version > 0),
    at               timestamptz NOT NULL,
    attempt_id       uuid        NOT NULL,
    from_state       text,
    to_state         text        NOT NULL,
    from_status      text,
    to_status        text        NOT NULL,
    outcome          text        NOT NULL,
    cause            text        NOT NULL CHECK (cause IN
        ('request', 'psp_answer', 'notice', 'return', 'look_up')),
    cause_id         text,
    data             jsonb       NOT NULL DEFAULT '{}',
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES payment_orders (merchant_id, id),
    FOREIGN KEY (merchant_id, attempt_id) REFERENCES attempts (merchant_id, id)
);
CREATE INDEX payment_log_by_order ON payment_log (merchant_id, payment_order_id, version);
COMMENT ON INDEX payment_log_by_order IS 'payments.queries.log_of: the history of one order';

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_log
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT, INSERT, UPDATE ON payment_orders, attempts TO payloom_app;
GRANT SELECT ON attempt_transitions TO payloom_app;
GRANT SELECT, INSERT ON payment_log TO payloom_app;
