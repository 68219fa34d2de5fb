-- What every feature stands on: merchants and their secrets, the business clock, idempotency, jobs.
-- Roles: the owner runs migrations; payloom_app serves (owns nothing); payloom_reader reads one merchant.
-- merchant_id is the tenant: first column of every key, and part of every foreign key.

CREATE TABLE merchants (
    merchant_id uuid        NOT NULL PRIMARY KEY,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    mode        text        NOT NULL CHECK (mode IN ('test', 'live')),
    created_at  timestamptz NOT NULL
);

-- The key that seals one merchant's secrets, itself sealed under the master key (envelope encryption).
CREATE TABLE data_keys (
    merchant_id   uuid        NOT NULL REFERENCES merchants,
    version       int         NOT NULL CHECK (version > 0),
    master_key_id text        NOT NULL,
    wrapped       bytea       NOT NULL CHECK (octet_length(wrapped) = 60),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, version)
);

-- Every secret we must be able to read back: PSP credentials, return secrets, webhook secrets.
-- `owner` is the id of the row the secret belongs to; merchant, owner, field and key version are
-- the associated data, so a ciphertext moved to another row does not open.
CREATE TABLE secrets (
    merchant_id uuid        NOT NULL,
    owner       uuid        NOT NULL,
    field       text        NOT NULL CHECK (field ~ '^[a-z0-9_]{1,40}$'),
    key_version int         NOT NULL,
    sealed      bytea       NOT NULL CHECK (octet_length(sealed) BETWEEN 28 AND 8192),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, owner, field),
    FOREIGN KEY (merchant_id, key_version) REFERENCES data_keys (merchant_id, version)
);

CREATE TABLE api_keys (
    merchant_id uuid        NOT NULL REFERENCES merchants,
    id          uuid        NOT NULL,
    digest      bytea       NOT NULL CHECK (octet_length(digest) = 32),
    hint        text        NOT NULL CHECK (char_length(hint) <= 20),
    name        text        NOT NULL,
    scopes      text[]      NOT NULL CHECK (cardinality(scopes) > 0),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (merchant_id, id)
);
CREATE UNIQUE INDEX api_keys_digest ON api_keys (digest);
COMMENT ON INDEX api_keys_digest IS 'merchants.queries.key_by_digest: who sends this request';

-- A merchant's account at one PSP.
CREATE TABLE connections (
    merchant_id uuid        NOT NULL REFERENCES merchants,
    id          uuid        NOT NULL,
    psp         text        NOT NULL CHECK (psp ~ '^[a-z][a-z0-9_]{1,30}$'),
    api_base    text,
    psp_account text,
    created_at  timestamptz NOT NULL,
    disabled_at timestamptz,
    PRIMARY KEY (merchant_id, id)
);
CREATE UNIQUE INDEX connections_id ON connections (id);
COMMENT ON INDEX connections_id IS 'merchants.queries.connection_by_id: a notice names its connection only';

-- Business time = real time + this one offset (test mode only); every process re-reads it each second.
CREATE TABLE business_clock (
    only_row       boolean  NOT NULL PRIMARY KEY DEFAULT true CHECK (only_row),
    offset_seconds bigint   NOT NULL DEFAULT 0 CHECK (offset_seconds >= 0)
);
INSERT INTO business_clock DEFAULT VALUES;

-- The first answer to a request, by the caller's key. An unanswered row has an owner and a lease
-- on the database's clock; a lease that ran out is taken over.
CREATE TABLE idempotency_keys (
    merchant_id uuid        NOT NULL REFERENCES merchants,
    key         text        NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    fingerprint bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    owner       uuid        NOT NULL,
    lease_until timestamptz NOT NULL,
    status      int         CHECK (status BETWEEN 200 AND 499),
    body        bytea,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, key),
    CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
COMMENT ON INDEX idempotency_keys_age IS 'core.idempotency.reap: answers older than 30 days';

-- Work that happens later, written in the transaction of its cause. One row per (kind, subject):
-- asking twice for the same thing is asking once. Done means deleted; given up means quarantined.
CREATE TABLE jobs (
    merchant_id    uuid        NOT NULL REFERENCES merchants,
    kind           text        NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    subject        uuid        NOT NULL,
    run_at         timestamptz NOT NULL,
    tries          int         NOT NULL DEFAULT 0 CHECK (tries >= 0),
    lease_until    timestamptz,
    fence          bigint      NOT NULL DEFAULT 0,
    quarantined_at timestamptz,
    last_error     text        CHECK (char_length(last_error) <= 2000),
    correlation_id text        NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE quarantined_at IS NULL;
COMMENT ON INDEX jobs_due IS 'core.jobs.claim: what is due, oldest first';
CREATE INDEX jobs_quarantined ON jobs (merchant_id, kind) WHERE quarantined_at IS NOT NULL;
COMMENT ON INDEX jobs_quarantined IS 'upkeep: what waits for a person';

GRANT SELECT ON merchants, data_keys, secrets, api_keys, connections, business_clock,
    idempotency_keys, jobs TO payloom_app;
GRANT INSERT ON merchants, data_keys, secrets, api_keys, connections, idempotency_keys, jobs
    TO payloom_app;
GRANT UPDATE ON secrets, api_keys, connections, business_clock, idempotency_keys, jobs
    TO payloom_app;
GRANT DELETE ON secrets, idempotency_keys, jobs TO payloom_app;
