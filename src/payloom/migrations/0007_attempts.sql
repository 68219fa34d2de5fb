-- A new attempt is written before the page that it replaces is dead, and is sent only then: until
-- it is asked for at the PSP (asked_at) it cannot bring money, and does not count as live.

DROP INDEX attempts_one_live;
CREATE UNIQUE INDEX attempts_one_live ON attempts (merchant_id, payment_order_id)
    WHERE state IN ('OPEN', 'PROCESSING', 'AUTHORIZED')
       OR (state = 'REGISTERING' AND asked_at IS NOT NULL);
COMMENT ON INDEX attempts_one_live IS 'at most one page per order is open or being opened (F06)';
CREATE UNIQUE INDEX attempts_one_waiting ON attempts (merchant_id, payment_order_id)
    WHERE state = 'REGISTERING' AND asked_at IS NULL;
COMMENT ON INDEX attempts_one_waiting IS 'at most one new attempt waits for its turn';

-- Nothing but an attempt that was never sent is without the time at which it was.
ALTER TABLE attempts ADD CHECK (asked_at IS NOT NULL OR state IN ('REGISTERING', 'CANCELED', 'REFUSED'));
