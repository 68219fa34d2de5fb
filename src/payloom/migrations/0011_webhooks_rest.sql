-- Endpoints that fail for long are switched off and tell so; secrets that were replaced sign on for
-- a while and then end; deliveries can be asked for again.

ALTER TABLE webhook_endpoints
    ADD COLUMN disabled_reason text CHECK (disabled_reason IN ('deleted', 'failing', 'gone')),
    ADD COLUMN enabled_at      timestamptz,  -- again, after it was disabled
    -- Failed tries in a row, and since when: both must be much before it is switched off.
    ADD COLUMN failures        int         NOT NULL DEFAULT 0 CHECK (failures >= 0),
    ADD COLUMN failing_since   timestamptz,
    -- What is told of the endpoint itself is numbered as what is told of an order is.
    ADD COLUMN event_sequence  int         NOT NULL DEFAULT 0 CHECK (event_sequence >= 0);
UPDATE webhook_endpoints SET disabled_reason = 'deleted' WHERE disabled_at IS NOT NULL;
ALTER TABLE webhook_endpoints
    ADD CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    ADD CHECK ((failing_since IS NULL) = (failures = 0));

-- Deleted is for good, and what was told keeps its number.
CREATE FUNCTION webhook_endpoint_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.disabled_reason = 'deleted' AND NEW.disabled_reason IS DISTINCT FROM 'deleted' THEN
        RAISE EXCEPTION 'webhook endpoint % is deleted', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.event_sequence NOT IN (OLD.event_sequence, OLD.event_sequence + 1) THEN
        RAISE EXCEPTION 'webhook endpoint %: event % may not follow %', NEW.id, NEW.event_sequence,
            OLD.event_sequence USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER webhook_endpoint_moves_on BEFORE UPDATE OF disabled_reason, event_sequence
    ON webhook_endpoints FOR EACH ROW EXECUTE FUNCTION webhook_endpoint_moves_on();

ALTER TABLE events
    ADD COLUMN webhook_endpoint_id uuid,
    ADD FOREIGN KEY (merchant_id, webhook_endpoint_id)
        REFERENCES webhook_endpoints (merchant_id, id),
    ADD CHECK (payment_order_id IS NULL OR webhook_endpoint_id IS NULL);
CREATE INDEX events_by_webhook_endpoint ON events (merchant_id, webhook_endpoint_id, sequence)
    WHERE webhook_endpoint_id IS NOT NULL;
COMMENT ON INDEX events_by_webhook_endpoint IS 'audit.queries: what was told of an endpoint; I16';

ALTER TABLE deliveries
    ADD COLUMN asked_again_at     timestamptz,  -- when somebody last asked for it once more
    ADD COLUMN first_delivered_at timestamptz;  -- kept when a delivered one is asked for again
ALTER TABLE deliveries
    ADD CHECK (first_delivered_at IS NULL OR asked_again_at IS NOT NULL);

-- Only secrets that sign for webhook endpoints come to an end, and of these one goes on.
ALTER TABLE secrets
    ADD COLUMN ends_at timestamptz,
    ADD CHECK (ends_at IS NULL OR field ~ '^secret(_[0-9]+)?$');
CREATE INDEX secrets_ending ON secrets (ends_at) WHERE ends_at IS NOT NULL;
COMMENT ON INDEX secrets_ending IS 'merchants.queries.delete_ended_secrets: upkeep';
CREATE UNIQUE INDEX secrets_one_signs_on ON secrets (merchant_id, owner)
    WHERE ends_at IS NULL AND field ~ '^secret(_[0-9]+)?$';
COMMENT ON INDEX secrets_one_signs_on IS 'the newest secret of a webhook endpoint has no end (F60)';
