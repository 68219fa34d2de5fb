-- The reader sees one merchant's rows: `SET payloom.merchant_id = '…'` first; unset shows nothing.
-- The app's policy is open on purpose: it serves all merchants and every query of it names one.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['merchants', 'connections', 'payment_orders', 'attempts', 'payment_log',
        'ledger_accounts', 'ledger_postings', 'ledger_entries', 'notices', 'webhook_endpoints', 'events',
        'deliveries', 'jobs']
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO payloom_reader', name);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY reader ON %I FOR SELECT TO payloom_reader
            USING (merchant_id = nullif(current_setting('payloom.merchant_id', true), '')::uuid)$p$, name);
        EXECUTE format('CREATE POLICY app ON %I TO payloom_app USING (true) WITH CHECK (true)', name);
    END LOOP;
END $$;
