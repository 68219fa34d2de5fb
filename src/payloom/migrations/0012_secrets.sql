-- The master keys that data keys are sealed under, by their ids: the keys themselves are never here.
-- One of them seals what is new, for all processes at once. A row that is gone is a key that may be
-- destroyed: nothing is sealed under it, and nothing can be any more.

CREATE TABLE master_keys (
    id         text        NOT NULL PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
    is_sealing boolean     NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX master_keys_sealing ON master_keys (is_sealing) WHERE is_sealing;
COMMENT ON INDEX master_keys_sealing IS 'one master key seals what is new; S21';

INSERT INTO master_keys (id, is_sealing, created_at)
SELECT master_key_id, row_number() OVER (ORDER BY max(created_at) DESC) = 1, min(created_at)
  FROM data_keys GROUP BY master_key_id;
ALTER TABLE data_keys ADD FOREIGN KEY (master_key_id) REFERENCES master_keys (id);
CREATE INDEX data_keys_by_master_key ON data_keys (master_key_id, merchant_id, version);
COMMENT ON INDEX data_keys_by_master_key IS
    'merchants.queries.lock_data_keys_under: what is sealed under a key that is to go; foreign key';
CREATE INDEX secrets_by_data_key ON secrets (merchant_id, key_version);
COMMENT ON INDEX secrets_by_data_key IS 'merchants.queries.lock_secrets_under_older: foreign key';

GRANT SELECT, INSERT, UPDATE, DELETE ON master_keys TO payloom_app;
GRANT UPDATE (master_key_id, wrapped), DELETE ON data_keys TO payloom_app;

-- The second keeper against card numbers (core/masking.py is the first, and stricter): those of the
-- largest schemes, in one piece, are not taken in whoever sends them. The value is not quoted.
CREATE FUNCTION holds_card(said text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    number text;
    total  int;
BEGIN
    IF said !~ '[0-9]{15}' THEN
        RETURN false;
    END IF;
    FOR number IN
        SELECT m[1] FROM regexp_matches(said,
            '(?<![A-Za-z0-9.-])(4[0-9]{15}|5[1-5][0-9]{14}|3[47][0-9]{13})(?![A-Za-z0-9.-])', 'g') AS m
    LOOP
        SELECT sum(CASE WHEN place % 2 = 0 THEN 2 * digit / 10 + 2 * digit % 10 ELSE digit END) INTO total
          FROM unnest(string_to_array(reverse(number), NULL)::int[])
               WITH ORDINALITY AS t (digit, place);
        IF total % 10 = 0 THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

CREATE FUNCTION order_holds_no_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF holds_card(concat_ws(' ', NEW.reference, NEW.description, NEW.return_url, NEW.cancel_url,
                            NEW.customer, NEW.line_items, NEW.metadata)) THEN
        RAISE EXCEPTION 'payment order %: holds a card number', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_holds_no_card BEFORE INSERT ON payment_orders
    FOR EACH ROW EXECUTE FUNCTION order_holds_no_card();

-- Nor is one of them a PSP's token (F27, F28).
ALTER TABLE attempts ADD CHECK (NOT holds_card(token));
