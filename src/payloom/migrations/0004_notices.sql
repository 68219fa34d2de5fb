-- What PSPs tell us: stored raw before the 2xx, applied later. The log of notices has no unique
-- key, so that it can be split by time; a small table beside it remembers which were seen.

CREATE TABLE notices (
    merchant_id      uuid        NOT NULL,
    id               uuid        NOT NULL,
    connection_id    uuid        NOT NULL,
    psp_event        text        NOT NULL,
    type             text        NOT NULL,
    body             bytea       NOT NULL CHECK (octet_length(body) <= 1048576),
    via              text        NOT NULL CHECK (via IN ('webhook', 'sweep')),
    state            text        NOT NULL CHECK (state IN
        ('stored', 'applied', 'ignored', 'not_ours', 'quarantined')),
    tries            int         NOT NULL DEFAULT 0,
    next_at          timestamptz NOT NULL,
    attempt_id       uuid,  -- as the PSP's object names it: the row may not exist
    remark           text        CHECK (char_length(remark) <= 2000),
    received_at      timestamptz NOT NULL,
    finished_at      timestamptz,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, connection_id) REFERENCES connections (merchant_id, id),
    CHECK ((state = 'stored') = (finished_at IS NULL))
);
CREATE INDEX notices_waiting ON notices (next_at) WHERE state = 'stored';
COMMENT ON INDEX notices_waiting IS 'notices.queries.claim_waiting: what the worker applies next';
CREATE INDEX notices_by_attempt ON notices (merchant_id, attempt_id) WHERE attempt_id IS NOT NULL;
COMMENT ON INDEX notices_by_attempt IS 'applied when the shopper returns; the timeline of one order';

CREATE INDEX notices_quarantined ON notices (merchant_id, id) WHERE state = 'quarantined';
COMMENT ON INDEX notices_quarantined IS 'upkeep: what waits for a person';

CREATE TABLE notices_seen (
    merchant_id   uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    psp_event     text        NOT NULL,
    notice_id     uuid        NOT NULL,
    times         int         NOT NULL DEFAULT 1,
    first_at      timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, connection_id, psp_event),
    FOREIGN KEY (merchant_id, connection_id) REFERENCES connections (merchant_id, id)
);

GRANT SELECT, INSERT, UPDATE ON notices, notices_seen TO payloom_app;
