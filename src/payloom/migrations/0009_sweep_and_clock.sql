-- How far each connection's event list at the PSP has been read, and what that cost.
CREATE TABLE sweeps (
    merchant_id   uuid             NOT NULL,
    connection_id uuid             NOT NULL,
    -- All events made before this were read (business time).
    read_until    timestamptz      NOT NULL,
    -- Reads against the PSP's allocation, which forgets them evenly as time goes by.
    reads         double precision NOT NULL DEFAULT 0 CHECK (reads >= 0),
    updated_at    timestamptz      NOT NULL,
    PRIMARY KEY (merchant_id, connection_id),
    FOREIGN KEY (merchant_id, connection_id) REFERENCES connections (merchant_id, id)
);
GRANT SELECT, INSERT, UPDATE ON sweeps TO payloom_app;
GRANT SELECT ON sweeps TO payloom_reader;
ALTER TABLE sweeps ENABLE ROW LEVEL SECURITY;
CREATE POLICY reader ON sweeps FOR SELECT TO payloom_reader
    USING (merchant_id = nullif(current_setting('payloom.merchant_id', true), '')::uuid);
CREATE POLICY app ON sweeps TO payloom_app USING (true) WITH CHECK (true);

-- Connections that were there before the sweep was.
INSERT INTO jobs (merchant_id, kind, subject, run_at, created_at)
SELECT merchant_id, 'sweep', id, created_at, created_at FROM connections WHERE disabled_at IS NULL
    ON CONFLICT DO NOTHING;

-- Business time is moved where everything is a test, and nowhere else: it is one for all merchants.
CREATE FUNCTION clock_moves_among_tests_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The row of the clock is the lock that both sides take.
    PERFORM FROM business_clock FOR UPDATE;
    IF (TG_TABLE_NAME = 'merchants' AND EXISTS (SELECT FROM business_clock WHERE offset_seconds > 0))
       OR (TG_TABLE_NAME = 'business_clock' AND EXISTS (SELECT FROM merchants WHERE mode = 'live')) THEN
        RAISE EXCEPTION 'business time can be moved only where no merchant is in live mode'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_live_merchant_in_moved_time BEFORE INSERT ON merchants
    FOR EACH ROW WHEN (NEW.mode = 'live') EXECUTE FUNCTION clock_moves_among_tests_only();
CREATE TRIGGER no_moved_time_with_live_merchants BEFORE UPDATE ON business_clock
    FOR EACH ROW EXECUTE FUNCTION clock_moves_among_tests_only();
