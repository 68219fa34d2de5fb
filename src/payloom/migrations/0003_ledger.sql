-- Double-entry books. A posting and all its entries are written by one statement, balanced, and
-- never changed; corrections are postings of their own. Debit is positive.

CREATE TABLE ledger_accounts (
    merchant_id uuid        NOT NULL REFERENCES merchants,
    id          uuid        NOT NULL,
    code        text        NOT NULL CHECK (code ~ '^[a-z_]{1,40}$'),
    owner       uuid,
    currency    char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, id, currency),
    UNIQUE NULLS NOT DISTINCT (merchant_id, code, owner, currency)
);

CREATE TABLE ledger_postings (
    merchant_id      uuid        NOT NULL,
    id               uuid        NOT NULL,
    kind             text        NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    payment_order_id uuid,
    source           text        NOT NULL CHECK (char_length(source) BETWEEN 1 AND 255),
    at               timestamptz NOT NULL,
    effective_at     timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    -- Each fact is posted at most once (F48).
    UNIQUE (merchant_id, kind, source),
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES payment_orders (merchant_id, id)
);
CREATE INDEX ledger_postings_by_order ON ledger_postings (merchant_id, payment_order_id);
COMMENT ON INDEX ledger_postings_by_order IS 'ledger.queries.postings_of an order, and I11';

CREATE TABLE ledger_entries (
    merchant_id uuid    NOT NULL,
    posting_id  uuid    NOT NULL,
    id          uuid    NOT NULL,
    account_id  uuid    NOT NULL,
    amount      bigint  NOT NULL CHECK (amount <> 0),
    currency    char(3) NOT NULL,
    FOREIGN KEY (merchant_id, posting_id) REFERENCES ledger_postings (merchant_id, id),
    -- The currency of an entry is the currency of its account.
    FOREIGN KEY (merchant_id, account_id, currency) REFERENCES ledger_accounts (merchant_id, id, currency)
);
CREATE INDEX ledger_entries_by_posting ON ledger_entries (merchant_id, posting_id);
COMMENT ON INDEX ledger_entries_by_posting IS 'ledger_entries_balance, ledger.queries.entries_of';
CREATE INDEX ledger_entries_by_account ON ledger_entries (merchant_id, account_id);
COMMENT ON INDEX ledger_entries_by_account IS 'ledger.queries.balance of an account';

CREATE FUNCTION ledger_entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad uuid;
BEGIN
    SELECT posting_id INTO bad FROM added GROUP BY posting_id, currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;
    -- All entries of a posting are in this very statement: nothing is ever added to an old one.
    SELECT n.posting_id INTO bad
      FROM (SELECT merchant_id, posting_id, count(*) AS entries FROM added GROUP BY 1, 2) AS n
     WHERE n.entries <> (SELECT count(*) FROM ledger_entries AS e
                          WHERE e.merchant_id = n.merchant_id AND e.posting_id = n.posting_id)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting % is complete; correct it by a reversing posting', bad
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_balance();

CREATE FUNCTION ledger_posting_has_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad uuid;
BEGIN
    SELECT p.id INTO bad FROM added AS p
     WHERE (SELECT count(*) FROM ledger_entries AS e
             WHERE e.merchant_id = p.merchant_id AND e.posting_id = p.id) < 2
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting % has fewer than two entries', bad USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_posting_has_entries AFTER INSERT ON ledger_postings
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_posting_has_entries();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_postings
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT, INSERT ON ledger_accounts, ledger_postings, ledger_entries TO payloom_app;
