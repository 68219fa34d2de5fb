-- What PSPs were asked about payments, beyond the one call that every payment makes: resends,
-- look-ups, ends of pages, refunds, and first calls that were not answered. For people who ask why.
CREATE TABLE psp_calls (
    merchant_id      uuid        NOT NULL,
    payment_order_id uuid        NOT NULL,
    attempt_id       uuid        NOT NULL,
    at               timestamptz NOT NULL,
    verb             text        NOT NULL CHECK (verb ~ '^[a-z_]{1,40}$'),
    duration_ms      int         NOT NULL CHECK (duration_ms >= 0),
    outcome          text        NOT NULL CHECK (outcome ~ '^[A-Za-z]{1,40}$'),
    detail           text        CHECK (char_length(detail) <= 500),
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES payment_orders (merchant_id, id),
    FOREIGN KEY (merchant_id, payment_order_id, attempt_id)
        REFERENCES attempts (merchant_id, payment_order_id, id)
);
CREATE INDEX psp_calls_by_order ON psp_calls (merchant_id, payment_order_id, at);
COMMENT ON INDEX psp_calls_by_order IS 'the timeline of one order';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON psp_calls
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT, INSERT ON psp_calls TO payloom_app;
GRANT SELECT ON psp_calls TO payloom_reader;
ALTER TABLE psp_calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY reader ON psp_calls FOR SELECT TO payloom_reader
    USING (merchant_id = nullif(current_setting('payloom.merchant_id', true), '')::uuid);
CREATE POLICY app ON psp_calls TO payloom_app USING (true) WITH CHECK (true);
