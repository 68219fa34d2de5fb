-- What we tell merchants: an event is written with the change it tells of; a delivery carries one
-- event to one endpoint, the same bytes on every try.

CREATE TABLE webhook_endpoints (
    merchant_id uuid        NOT NULL REFERENCES merchants,
    id          uuid        NOT NULL,
    url         text        NOT NULL CHECK (char_length(url) <= 2000),
    event_types text[],
    created_at  timestamptz NOT NULL,
    disabled_at timestamptz,
    PRIMARY KEY (merchant_id, id)
);

CREATE TABLE events (
    merchant_id      uuid        NOT NULL,
    id               uuid        NOT NULL,
    payment_order_id uuid,
    sequence         int         NOT NULL CHECK (sequence > 0),
    type             text        NOT NULL CHECK (type ~ '^[a-z_]+\.[a-z_]+$'),
    body             text        NOT NULL,
    at               timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES payment_orders (merchant_id, id)
);
CREATE INDEX events_by_order ON events (merchant_id, payment_order_id, sequence)
    WHERE payment_order_id IS NOT NULL;
COMMENT ON INDEX events_by_order IS 'events of one order in their sequence; I16';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE deliveries (
    merchant_id  uuid        NOT NULL,
    id           uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    endpoint_id  uuid        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('pending', 'delivered', 'exhausted')),
    tries        int         NOT NULL DEFAULT 0 CHECK (tries >= 0),
    next_at      timestamptz NOT NULL,
    lease_until  timestamptz,
    fence        bigint      NOT NULL DEFAULT 0,
    last_status  int,
    last_error   text        CHECK (char_length(last_error) <= 500),
    created_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, event_id) REFERENCES events (merchant_id, id),
    FOREIGN KEY (merchant_id, endpoint_id) REFERENCES webhook_endpoints (merchant_id, id),
    CHECK ((state = 'pending') = (finished_at IS NULL))
);
CREATE INDEX deliveries_due ON deliveries (merchant_id, endpoint_id, next_at)
    WHERE state = 'pending';
COMMENT ON INDEX deliveries_due IS 'webhooks.queries.claim_due: what the worker sends next';
CREATE INDEX deliveries_exhausted ON deliveries (merchant_id, id) WHERE state = 'exhausted';
COMMENT ON INDEX deliveries_exhausted IS 'upkeep: what waits for a person';
CREATE INDEX deliveries_by_event ON deliveries (merchant_id, event_id);
COMMENT ON INDEX deliveries_by_event IS 'the timeline of one order; foreign key';

-- A delivery's id, made of the event's time and both ids: PostgreSQL 16 has no uuidv7().
CREATE FUNCTION delivery_id(event_id uuid, endpoint_id uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    left(event_id::text, 14) || '7'
    || substr(encode(sha256(uuid_send(event_id) || uuid_send(endpoint_id)), 'hex'), 1, 3) || '8'
    || substr(encode(sha256(uuid_send(event_id) || uuid_send(endpoint_id)), 'hex'), 4, 15)
)::uuid;

GRANT SELECT, INSERT ON events TO payloom_app;
GRANT SELECT, INSERT, UPDATE ON webhook_endpoints, deliveries TO payloom_app;
