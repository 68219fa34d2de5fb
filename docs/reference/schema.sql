-- The schema as all migrations leave it, for reading: a change of it shows here as a whole.
-- Written by `python -m tests.core.dump_schema`; a database is made by `payloom db migrate`.

--
-- PostgreSQL database dump
--

\restrict x


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: append_only(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;


--
-- Name: attempt_moves_along_the_table(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.attempt_moves_along_the_table() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM attempt_transitions
                    WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'attempt %: % may not become %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;


--
-- Name: clock_moves_among_tests_only(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.clock_moves_among_tests_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: delivery_id(uuid, uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.delivery_id(event_id uuid, endpoint_id uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((((("left"((event_id)::text, 14) || '7'::text) || substr(encode(sha256((uuid_send(event_id) || uuid_send(endpoint_id))), 'hex'::text), 1, 3)) || '8'::text) || substr(encode(sha256((uuid_send(event_id) || uuid_send(endpoint_id))), 'hex'::text), 4, 15)))::uuid;


--
-- Name: holds_card(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.holds_card(said text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
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


--
-- Name: ledger_entries_balance(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.ledger_entries_balance() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: ledger_posting_has_entries(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.ledger_posting_has_entries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: order_holds_no_card(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.order_holds_no_card() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF holds_card(concat_ws(' ', NEW.reference, NEW.description, NEW.return_url, NEW.cancel_url,
                            NEW.customer, NEW.line_items, NEW.metadata)) THEN
        RAISE EXCEPTION 'payment order %: holds a card number', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;


--
-- Name: order_version_steps_by_one(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.order_version_steps_by_one() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.version <> OLD.version + 1 OR NEW.event_sequence < OLD.event_sequence THEN
        RAISE EXCEPTION 'payment order %: version % may not follow %', NEW.id, NEW.version, OLD.version
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;


--
-- Name: refund_is_counted(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refund_is_counted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payment_orders AS o
          JOIN attempts AS a ON a.merchant_id = o.merchant_id AND a.id = o.paid_by_attempt
         WHERE o.merchant_id = NEW.merchant_id AND o.id = NEW.payment_order_id
           AND (a.id, a.currency, a.connection_id)
             = (NEW.attempt_id, NEW.currency, NEW.connection_id)
           AND o.amount_refund_asked >= NEW.amount + (
               SELECT coalesce(sum(r.amount), 0) FROM refunds AS r
                WHERE r.merchant_id = NEW.merchant_id
                  AND r.payment_order_id = NEW.payment_order_id
                  AND r.purpose = 'request' AND r.state NOT IN ('FAILED', 'CANCELED'))) THEN
        RAISE EXCEPTION 'refund %: more than what payment order % took and has left',
                        NEW.id, NEW.payment_order_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;


--
-- Name: refund_moves_along_the_table(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refund_moves_along_the_table() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM refund_transitions
                    WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'refund %: % may not become %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;


--
-- Name: surplus_is_returned_whole(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.surplus_is_returned_whole() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM attempts AS a
          JOIN payment_orders AS o ON o.merchant_id = a.merchant_id AND o.id = a.payment_order_id
         WHERE a.merchant_id = NEW.merchant_id AND a.id = NEW.attempt_id AND a.state = 'SUCCEEDED'
           AND a.id IS DISTINCT FROM o.paid_by_attempt
           AND (a.amount, a.currency, a.connection_id)
             = (NEW.amount, NEW.currency, NEW.connection_id)) THEN
        RAISE EXCEPTION 'refund %: attempt % has no such money to return', NEW.id, NEW.attempt_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;


--
-- Name: webhook_endpoint_moves_on(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.webhook_endpoint_moves_on() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: api_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_keys (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    digest bytea NOT NULL,
    hint text NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT api_keys_hint_check CHECK ((char_length(hint) <= 20)),
    CONSTRAINT api_keys_scopes_check CHECK ((cardinality(scopes) > 0))
);


--
-- Name: attempt_transitions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.attempt_transitions (
    from_state text NOT NULL,
    to_state text NOT NULL
);


--
-- Name: attempts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.attempts (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_order_id uuid NOT NULL,
    number integer NOT NULL,
    connection_id uuid NOT NULL,
    psp text NOT NULL,
    state text NOT NULL,
    amount bigint NOT NULL,
    currency character(3) NOT NULL,
    request_body text NOT NULL,
    request_version text NOT NULL,
    request_key text NOT NULL,
    resend_until timestamp with time zone NOT NULL,
    token text,
    redirect_url text,
    psp_payment text,
    return_token bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    last_error jsonb,
    method jsonb,
    asked_at timestamp with time zone,
    answered_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT attempts_amount_check CHECK ((amount > 0)),
    CONSTRAINT attempts_check CHECK (((state <> 'OPEN'::text) OR ((token IS NOT NULL) AND (redirect_url IS NOT NULL)))),
    CONSTRAINT attempts_check1 CHECK (((asked_at IS NOT NULL) OR (state = ANY (ARRAY['REGISTERING'::text, 'CANCELED'::text, 'REFUSED'::text])))),
    CONSTRAINT attempts_number_check CHECK ((number > 0)),
    CONSTRAINT attempts_return_token_check CHECK ((octet_length(return_token) = 16)),
    CONSTRAINT attempts_state_check CHECK ((state = ANY (ARRAY['REGISTERING'::text, 'OPEN'::text, 'PROCESSING'::text, 'AUTHORIZED'::text, 'SUCCEEDED'::text, 'FAILED'::text, 'CANCELED'::text, 'EXPIRED'::text, 'REFUSED'::text]))),
    CONSTRAINT attempts_token_check CHECK ((NOT public.holds_card(token)))
);


--
-- Name: business_clock; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.business_clock (
    only_row boolean DEFAULT true NOT NULL,
    offset_seconds bigint DEFAULT 0 NOT NULL,
    CONSTRAINT business_clock_offset_seconds_check CHECK ((offset_seconds >= 0)),
    CONSTRAINT business_clock_only_row_check CHECK (only_row)
);


--
-- Name: connections; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.connections (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    psp text NOT NULL,
    api_base text,
    psp_account text,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT connections_psp_check CHECK ((psp ~ '^[a-z][a-z0-9_]{1,30}$'::text))
);


--
-- Name: data_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.data_keys (
    merchant_id uuid NOT NULL,
    version integer NOT NULL,
    master_key_id text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT data_keys_version_check CHECK ((version > 0)),
    CONSTRAINT data_keys_wrapped_check CHECK ((octet_length(wrapped) = 60))
);


--
-- Name: deliveries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.deliveries (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    state text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    fence bigint DEFAULT 0 NOT NULL,
    last_status integer,
    last_error text,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    asked_again_at timestamp with time zone,
    first_delivered_at timestamp with time zone,
    CONSTRAINT deliveries_check CHECK (((state = 'pending'::text) = (finished_at IS NULL))),
    CONSTRAINT deliveries_check1 CHECK (((first_delivered_at IS NULL) OR (asked_again_at IS NOT NULL))),
    CONSTRAINT deliveries_last_error_check CHECK ((char_length(last_error) <= 500)),
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'exhausted'::text]))),
    CONSTRAINT deliveries_tries_check CHECK ((tries >= 0))
);


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_order_id uuid,
    sequence integer NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    at timestamp with time zone NOT NULL,
    webhook_endpoint_id uuid,
    CONSTRAINT events_check CHECK (((payment_order_id IS NULL) OR (webhook_endpoint_id IS NULL))),
    CONSTRAINT events_sequence_check CHECK ((sequence > 0)),
    CONSTRAINT events_type_check CHECK ((type ~ '^[a-z_]+\.[a-z_]+$'::text))
);


--
-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency_keys (
    merchant_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    owner uuid NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    status integer,
    body bytea,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_keys_check CHECK (((status IS NULL) = (body IS NULL))),
    CONSTRAINT idempotency_keys_fingerprint_check CHECK ((octet_length(fingerprint) = 32)),
    CONSTRAINT idempotency_keys_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 255))),
    CONSTRAINT idempotency_keys_status_check CHECK (((status >= 200) AND (status <= 499)))
);


--
-- Name: jobs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.jobs (
    merchant_id uuid NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    run_at timestamp with time zone NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    fence bigint DEFAULT 0 NOT NULL,
    quarantined_at timestamp with time zone,
    last_error text,
    correlation_id text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT jobs_kind_check CHECK ((kind ~ '^[a-z_]{1,40}$'::text)),
    CONSTRAINT jobs_last_error_check CHECK ((char_length(last_error) <= 2000)),
    CONSTRAINT jobs_tries_check CHECK ((tries >= 0))
);


--
-- Name: ledger_accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ledger_accounts (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    owner uuid,
    currency character(3) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ledger_accounts_code_check CHECK ((code ~ '^[a-z_]{1,40}$'::text)),
    CONSTRAINT ledger_accounts_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);


--
-- Name: ledger_entries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ledger_entries (
    merchant_id uuid NOT NULL,
    posting_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency character(3) NOT NULL,
    CONSTRAINT ledger_entries_amount_check CHECK ((amount <> 0))
);


--
-- Name: ledger_postings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ledger_postings (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    payment_order_id uuid,
    source text NOT NULL,
    at timestamp with time zone NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    CONSTRAINT ledger_postings_kind_check CHECK ((kind ~ '^[a-z_]{1,40}$'::text)),
    CONSTRAINT ledger_postings_source_check CHECK (((char_length(source) >= 1) AND (char_length(source) <= 255)))
);


--
-- Name: master_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.master_keys (
    id text NOT NULL,
    is_sealing boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT master_keys_id_check CHECK ((id ~ '^[0-9a-f]{16}$'::text))
);


--
-- Name: merchants; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.merchants (
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    mode text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT merchants_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT merchants_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
);


--
-- Name: notices; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notices (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    psp_event text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    via text NOT NULL,
    state text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone NOT NULL,
    attempt_id uuid,
    remark text,
    received_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT notices_body_check CHECK ((octet_length(body) <= 1048576)),
    CONSTRAINT notices_check CHECK (((state = 'stored'::text) = (finished_at IS NULL))),
    CONSTRAINT notices_remark_check CHECK ((char_length(remark) <= 2000)),
    CONSTRAINT notices_state_check CHECK ((state = ANY (ARRAY['stored'::text, 'applied'::text, 'ignored'::text, 'not_ours'::text, 'quarantined'::text]))),
    CONSTRAINT notices_via_check CHECK ((via = ANY (ARRAY['webhook'::text, 'sweep'::text])))
);


--
-- Name: notices_seen; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notices_seen (
    merchant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    psp_event text NOT NULL,
    notice_id uuid NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    first_at timestamp with time zone NOT NULL
);


--
-- Name: payment_log; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment_log (
    merchant_id uuid NOT NULL,
    payment_order_id uuid NOT NULL,
    version integer NOT NULL,
    at timestamp with time zone NOT NULL,
    attempt_id uuid NOT NULL,
    from_state text,
    to_state text NOT NULL,
    from_status text,
    to_status text NOT NULL,
    outcome text NOT NULL,
    cause text NOT NULL,
    cause_id text,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT payment_log_cause_check CHECK ((cause = ANY (ARRAY['request'::text, 'psp_answer'::text, 'notice'::text, 'return'::text, 'look_up'::text]))),
    CONSTRAINT payment_log_version_check CHECK ((version > 0))
);


--
-- Name: payment_orders; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment_orders (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL,
    fingerprint bytea NOT NULL,
    payment_order_status text NOT NULL,
    version integer NOT NULL,
    event_sequence integer NOT NULL,
    payment_type text NOT NULL,
    payment_method text NOT NULL,
    method_types text[] NOT NULL,
    psp text NOT NULL,
    amount bigint NOT NULL,
    currency character(3) NOT NULL,
    capture text NOT NULL,
    amount_captured bigint DEFAULT 0 NOT NULL,
    amount_refunded bigint DEFAULT 0 NOT NULL,
    amount_disputed bigint DEFAULT 0 NOT NULL,
    return_url text NOT NULL,
    cancel_url text,
    locale text,
    description text,
    customer jsonb,
    customer_id text GENERATED ALWAYS AS ((customer ->> 'id'::text)) STORED,
    line_items jsonb DEFAULT '[]'::jsonb NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    last_error jsonb,
    attention text,
    method jsonb,
    current_attempt uuid NOT NULL,
    paid_by_attempt uuid,
    cancel_requested_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    correlation_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    amount_refund_asked bigint DEFAULT 0 NOT NULL,
    CONSTRAINT payment_orders_amount_captured_check CHECK ((amount_captured >= 0)),
    CONSTRAINT payment_orders_amount_check CHECK ((amount > 0)),
    CONSTRAINT payment_orders_amount_disputed_check CHECK ((amount_disputed >= 0)),
    CONSTRAINT payment_orders_amount_refunded_check CHECK ((amount_refunded >= 0)),
    CONSTRAINT payment_orders_capture_check CHECK ((capture = ANY (ARRAY['automatic'::text, 'manual'::text]))),
    CONSTRAINT payment_orders_check CHECK (((payment_order_status = 'SUCCEEDED'::text) = (paid_by_attempt IS NOT NULL))),
    CONSTRAINT payment_orders_check1 CHECK (((payment_order_status <> 'SUCCEEDED'::text) OR (amount_captured > 0))),
    CONSTRAINT payment_orders_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payment_orders_event_sequence_check CHECK ((event_sequence >= 0)),
    CONSTRAINT payment_orders_fingerprint_check CHECK ((octet_length(fingerprint) = 32)),
    CONSTRAINT payment_orders_payment_method_check CHECK ((payment_method = ANY (ARRAY['APM'::text, 'CARD'::text]))),
    CONSTRAINT payment_orders_payment_order_status_check CHECK ((payment_order_status = ANY (ARRAY['CREATED'::text, 'PENDING'::text, 'PROCESSING'::text, 'AUTHORIZED'::text, 'SUCCEEDED'::text, 'FAILED'::text, 'CANCELED'::text, 'EXPIRED'::text]))),
    CONSTRAINT payment_orders_payment_type_check CHECK ((payment_type = ANY (ARRAY['SALE'::text, 'RECC'::text]))),
    CONSTRAINT payment_orders_reference_check CHECK (((char_length(reference) >= 1) AND (char_length(reference) <= 120))),
    CONSTRAINT payment_orders_refunds_asked CHECK (((amount_refund_asked >= 0) AND (amount_refund_asked <= amount_captured))),
    CONSTRAINT payment_orders_version_check CHECK ((version > 0))
);


--
-- Name: psp_calls; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.psp_calls (
    merchant_id uuid NOT NULL,
    payment_order_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    verb text NOT NULL,
    duration_ms integer NOT NULL,
    outcome text NOT NULL,
    detail text,
    CONSTRAINT psp_calls_detail_check CHECK ((char_length(detail) <= 500)),
    CONSTRAINT psp_calls_duration_ms_check CHECK ((duration_ms >= 0)),
    CONSTRAINT psp_calls_outcome_check CHECK ((outcome ~ '^[A-Za-z]{1,40}$'::text)),
    CONSTRAINT psp_calls_verb_check CHECK ((verb ~ '^[a-z_]{1,40}$'::text))
);


--
-- Name: refund_transitions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.refund_transitions (
    from_state text NOT NULL,
    to_state text NOT NULL
);


--
-- Name: refunds; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.refunds (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_order_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    number integer NOT NULL,
    purpose text NOT NULL,
    state text NOT NULL,
    amount bigint NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    request_body text,
    request_version text,
    request_key text,
    resend_until timestamp with time zone,
    psp_refund text,
    last_error jsonb,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    shop_key text,
    CONSTRAINT refunds_amount_check CHECK ((amount > 0)),
    CONSTRAINT refunds_check CHECK (((state <> ALL (ARRAY['PENDING'::text, 'SUCCEEDED'::text])) OR (psp_refund IS NOT NULL))),
    CONSTRAINT refunds_check1 CHECK (((shop_key IS NULL) OR (purpose = 'request'::text))),
    CONSTRAINT refunds_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT refunds_number_check CHECK ((number > 0)),
    CONSTRAINT refunds_of_the_psp_has_its_id CHECK (((purpose <> 'psp'::text) OR (psp_refund IS NOT NULL))),
    CONSTRAINT refunds_purpose_check CHECK ((purpose = ANY (ARRAY['surplus'::text, 'request'::text, 'psp'::text]))),
    CONSTRAINT refunds_reason_check CHECK ((reason = ANY (ARRAY['requested_by_customer'::text, 'duplicate'::text, 'fraudulent'::text, 'other'::text]))),
    CONSTRAINT refunds_request_is_stored CHECK ((num_nulls(request_body, request_version, request_key, resend_until) =
CASE
    WHEN (purpose = 'psp'::text) THEN 4
    ELSE 0
END)),
    CONSTRAINT refunds_state_check CHECK ((state = ANY (ARRAY['REQUESTED'::text, 'PENDING'::text, 'REQUIRES_ACTION'::text, 'SUCCEEDED'::text, 'FAILED'::text, 'CANCELED'::text]))),
    CONSTRAINT refunds_what_needs_action_is_there CHECK (((state <> 'REQUIRES_ACTION'::text) OR (psp_refund IS NOT NULL)))
);


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: secrets; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.secrets (
    merchant_id uuid NOT NULL,
    owner uuid NOT NULL,
    field text NOT NULL,
    key_version integer NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    CONSTRAINT secrets_check CHECK (((ends_at IS NULL) OR (field ~ '^secret(_[0-9]+)?$'::text))),
    CONSTRAINT secrets_field_check CHECK ((field ~ '^[a-z0-9_]{1,40}$'::text)),
    CONSTRAINT secrets_sealed_check CHECK (((octet_length(sealed) >= 28) AND (octet_length(sealed) <= 8192)))
);


--
-- Name: sweeps; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sweeps (
    merchant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    read_until timestamp with time zone NOT NULL,
    reads double precision DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT sweeps_reads_check CHECK ((reads >= (0)::double precision))
);


--
-- Name: webhook_endpoints; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_endpoints (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    event_types text[],
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    disabled_reason text,
    enabled_at timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    event_sequence integer DEFAULT 0 NOT NULL,
    CONSTRAINT webhook_endpoints_check CHECK (((disabled_at IS NULL) = (disabled_reason IS NULL))),
    CONSTRAINT webhook_endpoints_check1 CHECK (((failing_since IS NULL) = (failures = 0))),
    CONSTRAINT webhook_endpoints_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['deleted'::text, 'failing'::text, 'gone'::text]))),
    CONSTRAINT webhook_endpoints_event_sequence_check CHECK ((event_sequence >= 0)),
    CONSTRAINT webhook_endpoints_failures_check CHECK ((failures >= 0)),
    CONSTRAINT webhook_endpoints_url_check CHECK ((char_length(url) <= 2000))
);


--
-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: attempt_transitions attempt_transitions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt_transitions
    ADD CONSTRAINT attempt_transitions_pkey PRIMARY KEY (from_state, to_state);


--
-- Name: attempts attempts_merchant_id_payment_order_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_merchant_id_payment_order_id_id_key UNIQUE (merchant_id, payment_order_id, id);


--
-- Name: attempts attempts_merchant_id_payment_order_id_number_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_merchant_id_payment_order_id_number_key UNIQUE (merchant_id, payment_order_id, number);


--
-- Name: attempts attempts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: business_clock business_clock_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.business_clock
    ADD CONSTRAINT business_clock_pkey PRIMARY KEY (only_row);


--
-- Name: connections connections_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: data_keys data_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.data_keys
    ADD CONSTRAINT data_keys_pkey PRIMARY KEY (merchant_id, version);


--
-- Name: deliveries deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (merchant_id, key);


--
-- Name: jobs jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (merchant_id, kind, subject);


--
-- Name: ledger_accounts ledger_accounts_merchant_id_code_owner_currency_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_accounts
    ADD CONSTRAINT ledger_accounts_merchant_id_code_owner_currency_key UNIQUE NULLS NOT DISTINCT (merchant_id, code, owner, currency);


--
-- Name: ledger_accounts ledger_accounts_merchant_id_id_currency_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_accounts
    ADD CONSTRAINT ledger_accounts_merchant_id_id_currency_key UNIQUE (merchant_id, id, currency);


--
-- Name: ledger_accounts ledger_accounts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_accounts
    ADD CONSTRAINT ledger_accounts_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: ledger_postings ledger_postings_merchant_id_kind_source_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_postings
    ADD CONSTRAINT ledger_postings_merchant_id_kind_source_key UNIQUE (merchant_id, kind, source);


--
-- Name: ledger_postings ledger_postings_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_postings
    ADD CONSTRAINT ledger_postings_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: master_keys master_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.master_keys
    ADD CONSTRAINT master_keys_pkey PRIMARY KEY (id);


--
-- Name: merchants merchants_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.merchants
    ADD CONSTRAINT merchants_pkey PRIMARY KEY (merchant_id);


--
-- Name: notices notices_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: notices_seen notices_seen_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notices_seen
    ADD CONSTRAINT notices_seen_pkey PRIMARY KEY (merchant_id, connection_id, psp_event);


--
-- Name: payment_orders payment_orders_merchant_id_reference_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_orders
    ADD CONSTRAINT payment_orders_merchant_id_reference_key UNIQUE (merchant_id, reference);


--
-- Name: payment_orders payment_orders_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_orders
    ADD CONSTRAINT payment_orders_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: refund_transitions refund_transitions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refund_transitions
    ADD CONSTRAINT refund_transitions_pkey PRIMARY KEY (from_state, to_state);


--
-- Name: refunds refunds_merchant_id_attempt_id_number_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_merchant_id_attempt_id_number_key UNIQUE (merchant_id, attempt_id, number);


--
-- Name: refunds refunds_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: secrets secrets_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (merchant_id, owner, field);


--
-- Name: sweeps sweeps_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sweeps
    ADD CONSTRAINT sweeps_pkey PRIMARY KEY (merchant_id, connection_id);


--
-- Name: webhook_endpoints webhook_endpoints_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: api_keys_digest; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX api_keys_digest ON public.api_keys USING btree (digest);


--
-- Name: INDEX api_keys_digest; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.api_keys_digest IS 'merchants.queries.key_by_digest: who sends this request';


--
-- Name: attempts_id; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX attempts_id ON public.attempts USING btree (id);


--
-- Name: INDEX attempts_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.attempts_id IS 'payments.queries.payment_of_attempt: a returning shopper names nothing else';


--
-- Name: attempts_one_live; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX attempts_one_live ON public.attempts USING btree (merchant_id, payment_order_id) WHERE ((state = ANY (ARRAY['OPEN'::text, 'PROCESSING'::text, 'AUTHORIZED'::text])) OR ((state = 'REGISTERING'::text) AND (asked_at IS NOT NULL)));


--
-- Name: INDEX attempts_one_live; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.attempts_one_live IS 'at most one page per order is open or being opened (F06)';


--
-- Name: attempts_one_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX attempts_one_waiting ON public.attempts USING btree (merchant_id, payment_order_id) WHERE ((state = 'REGISTERING'::text) AND (asked_at IS NULL));


--
-- Name: INDEX attempts_one_waiting; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.attempts_one_waiting IS 'at most one new attempt waits for its turn';


--
-- Name: attempts_psp_payment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX attempts_psp_payment ON public.attempts USING btree (merchant_id, connection_id, psp_payment) WHERE (psp_payment IS NOT NULL);


--
-- Name: INDEX attempts_psp_payment; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.attempts_psp_payment IS 'payments.queries.attempts_of_psp_payments: what a PSP tells of a payment without naming our id';


--
-- Name: attempts_token; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX attempts_token ON public.attempts USING btree (merchant_id, connection_id, token) WHERE (token IS NOT NULL);


--
-- Name: INDEX attempts_token; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.attempts_token IS 'one PSP session belongs to one attempt (F27)';


--
-- Name: connections_id; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX connections_id ON public.connections USING btree (id);


--
-- Name: INDEX connections_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.connections_id IS 'merchants.queries.connection_by_id: a notice names its connection only';


--
-- Name: data_keys_by_master_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX data_keys_by_master_key ON public.data_keys USING btree (master_key_id, merchant_id, version);


--
-- Name: INDEX data_keys_by_master_key; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.data_keys_by_master_key IS 'merchants.queries.lock_data_keys_under: what is sealed under a key that is to go; foreign key';


--
-- Name: deliveries_by_event; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_by_event ON public.deliveries USING btree (merchant_id, event_id);


--
-- Name: INDEX deliveries_by_event; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.deliveries_by_event IS 'the timeline of one order; foreign key';


--
-- Name: deliveries_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_due ON public.deliveries USING btree (merchant_id, endpoint_id, next_at) WHERE (state = 'pending'::text);


--
-- Name: INDEX deliveries_due; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.deliveries_due IS 'webhooks.queries.claim_due: what the worker sends next';


--
-- Name: deliveries_exhausted; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_exhausted ON public.deliveries USING btree (merchant_id, id) WHERE (state = 'exhausted'::text);


--
-- Name: INDEX deliveries_exhausted; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.deliveries_exhausted IS 'upkeep: what waits for a person';


--
-- Name: events_by_order; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_by_order ON public.events USING btree (merchant_id, payment_order_id, sequence) WHERE (payment_order_id IS NOT NULL);


--
-- Name: INDEX events_by_order; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.events_by_order IS 'events of one order in their sequence; I16';


--
-- Name: events_by_webhook_endpoint; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_by_webhook_endpoint ON public.events USING btree (merchant_id, webhook_endpoint_id, sequence) WHERE (webhook_endpoint_id IS NOT NULL);


--
-- Name: INDEX events_by_webhook_endpoint; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.events_by_webhook_endpoint IS 'audit.queries: what was told of an endpoint; I16';


--
-- Name: idempotency_keys_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);


--
-- Name: INDEX idempotency_keys_age; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.idempotency_keys_age IS 'core.idempotency.reap: answers older than 30 days';


--
-- Name: jobs_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX jobs_due ON public.jobs USING btree (run_at) WHERE (quarantined_at IS NULL);


--
-- Name: INDEX jobs_due; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.jobs_due IS 'core.jobs.claim: what is due, oldest first';


--
-- Name: jobs_quarantined; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX jobs_quarantined ON public.jobs USING btree (merchant_id, kind) WHERE (quarantined_at IS NOT NULL);


--
-- Name: INDEX jobs_quarantined; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.jobs_quarantined IS 'upkeep: what waits for a person';


--
-- Name: ledger_entries_by_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ledger_entries_by_account ON public.ledger_entries USING btree (merchant_id, account_id);


--
-- Name: INDEX ledger_entries_by_account; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.ledger_entries_by_account IS 'ledger.queries.balance of an account';


--
-- Name: ledger_entries_by_posting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ledger_entries_by_posting ON public.ledger_entries USING btree (merchant_id, posting_id);


--
-- Name: INDEX ledger_entries_by_posting; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.ledger_entries_by_posting IS 'ledger_entries_balance, ledger.queries.entries_of';


--
-- Name: ledger_postings_by_order; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ledger_postings_by_order ON public.ledger_postings USING btree (merchant_id, payment_order_id);


--
-- Name: INDEX ledger_postings_by_order; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.ledger_postings_by_order IS 'ledger.queries.postings_of an order, and I11';


--
-- Name: master_keys_sealing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX master_keys_sealing ON public.master_keys USING btree (is_sealing) WHERE is_sealing;


--
-- Name: INDEX master_keys_sealing; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.master_keys_sealing IS 'one master key seals what is new; S21';


--
-- Name: notices_by_attempt; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notices_by_attempt ON public.notices USING btree (merchant_id, attempt_id) WHERE (attempt_id IS NOT NULL);


--
-- Name: INDEX notices_by_attempt; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.notices_by_attempt IS 'applied when the shopper returns; the timeline of one order';


--
-- Name: notices_quarantined; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notices_quarantined ON public.notices USING btree (merchant_id, id) WHERE (state = 'quarantined'::text);


--
-- Name: INDEX notices_quarantined; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.notices_quarantined IS 'upkeep: what waits for a person';


--
-- Name: notices_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notices_waiting ON public.notices USING btree (next_at) WHERE (state = 'stored'::text);


--
-- Name: INDEX notices_waiting; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.notices_waiting IS 'notices.queries.claim_waiting: what the worker applies next';


--
-- Name: payment_log_by_order; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_log_by_order ON public.payment_log USING btree (merchant_id, payment_order_id, version);


--
-- Name: INDEX payment_log_by_order; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.payment_log_by_order IS 'payments.queries.log_of: the history of one order';


--
-- Name: payment_orders_by_customer; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_orders_by_customer ON public.payment_orders USING btree (merchant_id, customer_id, id DESC) WHERE (customer_id IS NOT NULL);


--
-- Name: INDEX payment_orders_by_customer; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.payment_orders_by_customer IS 'payments.queries.list_orders filtered by customer';


--
-- Name: payment_orders_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_orders_by_status ON public.payment_orders USING btree (merchant_id, payment_order_status, id DESC);


--
-- Name: INDEX payment_orders_by_status; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.payment_orders_by_status IS 'payments.queries.list_orders filtered by status';


--
-- Name: psp_calls_by_order; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX psp_calls_by_order ON public.psp_calls USING btree (merchant_id, payment_order_id, at);


--
-- Name: INDEX psp_calls_by_order; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.psp_calls_by_order IS 'the timeline of one order';


--
-- Name: refunds_by_order; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX refunds_by_order ON public.refunds USING btree (merchant_id, payment_order_id);


--
-- Name: INDEX refunds_by_order; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.refunds_by_order IS 'the timeline of one order; foreign key';


--
-- Name: refunds_one_surplus; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX refunds_one_surplus ON public.refunds USING btree (merchant_id, attempt_id) WHERE ((purpose = 'surplus'::text) AND (state <> ALL (ARRAY['FAILED'::text, 'CANCELED'::text])));


--
-- Name: INDEX refunds_one_surplus; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.refunds_one_surplus IS 'unwanted money goes back once';


--
-- Name: refunds_psp_refund; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX refunds_psp_refund ON public.refunds USING btree (merchant_id, connection_id, psp_refund) WHERE (psp_refund IS NOT NULL);


--
-- Name: INDEX refunds_psp_refund; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.refunds_psp_refund IS 'one refund at the PSP is one of ours';


--
-- Name: refunds_shop_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX refunds_shop_key ON public.refunds USING btree (merchant_id, payment_order_id, shop_key) WHERE (shop_key IS NOT NULL);


--
-- Name: INDEX refunds_shop_key; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.refunds_shop_key IS 'a request of the shop makes one refund, however often it comes';


--
-- Name: secrets_by_data_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX secrets_by_data_key ON public.secrets USING btree (merchant_id, key_version);


--
-- Name: INDEX secrets_by_data_key; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.secrets_by_data_key IS 'merchants.queries.lock_secrets_under_older: foreign key';


--
-- Name: secrets_ending; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX secrets_ending ON public.secrets USING btree (ends_at) WHERE (ends_at IS NOT NULL);


--
-- Name: INDEX secrets_ending; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.secrets_ending IS 'merchants.queries.delete_ended_secrets: upkeep';


--
-- Name: secrets_one_signs_on; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX secrets_one_signs_on ON public.secrets USING btree (merchant_id, owner) WHERE ((ends_at IS NULL) AND (field ~ '^secret(_[0-9]+)?$'::text));


--
-- Name: INDEX secrets_one_signs_on; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.secrets_one_signs_on IS 'the newest secret of a webhook endpoint has no end (F60)';


--
-- Name: events append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.events FOR EACH STATEMENT EXECUTE FUNCTION public.append_only();


--
-- Name: ledger_entries append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION public.append_only();


--
-- Name: ledger_postings append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_postings FOR EACH STATEMENT EXECUTE FUNCTION public.append_only();


--
-- Name: payment_log append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.payment_log FOR EACH STATEMENT EXECUTE FUNCTION public.append_only();


--
-- Name: psp_calls append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.psp_calls FOR EACH STATEMENT EXECUTE FUNCTION public.append_only();


--
-- Name: attempts attempt_moves_along_the_table; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER attempt_moves_along_the_table BEFORE UPDATE OF state ON public.attempts FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION public.attempt_moves_along_the_table();


--
-- Name: ledger_entries ledger_entries_balance; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER ledger_entries_balance AFTER INSERT ON public.ledger_entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_entries_balance();


--
-- Name: ledger_postings ledger_posting_has_entries; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER ledger_posting_has_entries AFTER INSERT ON public.ledger_postings REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_posting_has_entries();


--
-- Name: merchants no_live_merchant_in_moved_time; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER no_live_merchant_in_moved_time BEFORE INSERT ON public.merchants FOR EACH ROW WHEN ((new.mode = 'live'::text)) EXECUTE FUNCTION public.clock_moves_among_tests_only();


--
-- Name: business_clock no_moved_time_with_live_merchants; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER no_moved_time_with_live_merchants BEFORE UPDATE ON public.business_clock FOR EACH ROW EXECUTE FUNCTION public.clock_moves_among_tests_only();


--
-- Name: payment_orders order_holds_no_card; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER order_holds_no_card BEFORE INSERT ON public.payment_orders FOR EACH ROW EXECUTE FUNCTION public.order_holds_no_card();


--
-- Name: payment_orders order_version_steps_by_one; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER order_version_steps_by_one BEFORE UPDATE ON public.payment_orders FOR EACH ROW EXECUTE FUNCTION public.order_version_steps_by_one();


--
-- Name: refunds refund_is_counted; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER refund_is_counted BEFORE INSERT ON public.refunds FOR EACH ROW WHEN ((new.purpose = 'request'::text)) EXECUTE FUNCTION public.refund_is_counted();


--
-- Name: refunds refund_moves_along_the_table; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER refund_moves_along_the_table BEFORE UPDATE OF state ON public.refunds FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION public.refund_moves_along_the_table();


--
-- Name: refunds surplus_is_returned_whole; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER surplus_is_returned_whole BEFORE INSERT ON public.refunds FOR EACH ROW WHEN ((new.purpose = 'surplus'::text)) EXECUTE FUNCTION public.surplus_is_returned_whole();


--
-- Name: webhook_endpoints webhook_endpoint_moves_on; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER webhook_endpoint_moves_on BEFORE UPDATE OF disabled_reason, event_sequence ON public.webhook_endpoints FOR EACH ROW EXECUTE FUNCTION public.webhook_endpoint_moves_on();


--
-- Name: api_keys api_keys_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: attempts attempts_merchant_id_connection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_merchant_id_connection_id_fkey FOREIGN KEY (merchant_id, connection_id) REFERENCES public.connections(merchant_id, id);


--
-- Name: attempts attempts_merchant_id_payment_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_merchant_id_payment_order_id_fkey FOREIGN KEY (merchant_id, payment_order_id) REFERENCES public.payment_orders(merchant_id, id);


--
-- Name: connections connections_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: data_keys data_keys_master_key_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.data_keys
    ADD CONSTRAINT data_keys_master_key_id_fkey FOREIGN KEY (master_key_id) REFERENCES public.master_keys(id);


--
-- Name: data_keys data_keys_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.data_keys
    ADD CONSTRAINT data_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: deliveries deliveries_merchant_id_endpoint_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_merchant_id_endpoint_id_fkey FOREIGN KEY (merchant_id, endpoint_id) REFERENCES public.webhook_endpoints(merchant_id, id);


--
-- Name: deliveries deliveries_merchant_id_event_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_merchant_id_event_id_fkey FOREIGN KEY (merchant_id, event_id) REFERENCES public.events(merchant_id, id);


--
-- Name: events events_merchant_id_payment_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_merchant_id_payment_order_id_fkey FOREIGN KEY (merchant_id, payment_order_id) REFERENCES public.payment_orders(merchant_id, id);


--
-- Name: events events_merchant_id_webhook_endpoint_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_merchant_id_webhook_endpoint_id_fkey FOREIGN KEY (merchant_id, webhook_endpoint_id) REFERENCES public.webhook_endpoints(merchant_id, id);


--
-- Name: idempotency_keys idempotency_keys_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: jobs jobs_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: ledger_accounts ledger_accounts_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_accounts
    ADD CONSTRAINT ledger_accounts_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: ledger_entries ledger_entries_merchant_id_account_id_currency_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_entries
    ADD CONSTRAINT ledger_entries_merchant_id_account_id_currency_fkey FOREIGN KEY (merchant_id, account_id, currency) REFERENCES public.ledger_accounts(merchant_id, id, currency);


--
-- Name: ledger_entries ledger_entries_merchant_id_posting_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_entries
    ADD CONSTRAINT ledger_entries_merchant_id_posting_id_fkey FOREIGN KEY (merchant_id, posting_id) REFERENCES public.ledger_postings(merchant_id, id);


--
-- Name: ledger_postings ledger_postings_merchant_id_payment_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_postings
    ADD CONSTRAINT ledger_postings_merchant_id_payment_order_id_fkey FOREIGN KEY (merchant_id, payment_order_id) REFERENCES public.payment_orders(merchant_id, id);


--
-- Name: notices notices_merchant_id_connection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_merchant_id_connection_id_fkey FOREIGN KEY (merchant_id, connection_id) REFERENCES public.connections(merchant_id, id);


--
-- Name: notices_seen notices_seen_merchant_id_connection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notices_seen
    ADD CONSTRAINT notices_seen_merchant_id_connection_id_fkey FOREIGN KEY (merchant_id, connection_id) REFERENCES public.connections(merchant_id, id);


--
-- Name: payment_log payment_log_merchant_id_attempt_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_log
    ADD CONSTRAINT payment_log_merchant_id_attempt_id_fkey FOREIGN KEY (merchant_id, attempt_id) REFERENCES public.attempts(merchant_id, id);


--
-- Name: payment_log payment_log_merchant_id_payment_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_log
    ADD CONSTRAINT payment_log_merchant_id_payment_order_id_fkey FOREIGN KEY (merchant_id, payment_order_id) REFERENCES public.payment_orders(merchant_id, id);


--
-- Name: payment_orders payment_orders_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_orders
    ADD CONSTRAINT payment_orders_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: payment_orders payment_orders_merchant_id_id_current_attempt_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_orders
    ADD CONSTRAINT payment_orders_merchant_id_id_current_attempt_fkey FOREIGN KEY (merchant_id, id, current_attempt) REFERENCES public.attempts(merchant_id, payment_order_id, id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: payment_orders payment_orders_merchant_id_id_paid_by_attempt_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_orders
    ADD CONSTRAINT payment_orders_merchant_id_id_paid_by_attempt_fkey FOREIGN KEY (merchant_id, id, paid_by_attempt) REFERENCES public.attempts(merchant_id, payment_order_id, id);


--
-- Name: psp_calls psp_calls_merchant_id_payment_order_id_attempt_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.psp_calls
    ADD CONSTRAINT psp_calls_merchant_id_payment_order_id_attempt_id_fkey FOREIGN KEY (merchant_id, payment_order_id, attempt_id) REFERENCES public.attempts(merchant_id, payment_order_id, id);


--
-- Name: psp_calls psp_calls_merchant_id_payment_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.psp_calls
    ADD CONSTRAINT psp_calls_merchant_id_payment_order_id_fkey FOREIGN KEY (merchant_id, payment_order_id) REFERENCES public.payment_orders(merchant_id, id);


--
-- Name: refunds refunds_merchant_id_connection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_merchant_id_connection_id_fkey FOREIGN KEY (merchant_id, connection_id) REFERENCES public.connections(merchant_id, id);


--
-- Name: refunds refunds_merchant_id_payment_order_id_attempt_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_merchant_id_payment_order_id_attempt_id_fkey FOREIGN KEY (merchant_id, payment_order_id, attempt_id) REFERENCES public.attempts(merchant_id, payment_order_id, id);


--
-- Name: refunds refunds_merchant_id_payment_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refunds
    ADD CONSTRAINT refunds_merchant_id_payment_order_id_fkey FOREIGN KEY (merchant_id, payment_order_id) REFERENCES public.payment_orders(merchant_id, id);


--
-- Name: secrets secrets_merchant_id_key_version_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_merchant_id_key_version_fkey FOREIGN KEY (merchant_id, key_version) REFERENCES public.data_keys(merchant_id, version);


--
-- Name: sweeps sweeps_merchant_id_connection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sweeps
    ADD CONSTRAINT sweeps_merchant_id_connection_id_fkey FOREIGN KEY (merchant_id, connection_id) REFERENCES public.connections(merchant_id, id);


--
-- Name: webhook_endpoints webhook_endpoints_merchant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchants(merchant_id);


--
-- Name: attempts app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.attempts TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: connections app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.connections TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: deliveries app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.deliveries TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: events app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.events TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: jobs app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.jobs TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: ledger_accounts app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.ledger_accounts TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: ledger_entries app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.ledger_entries TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: ledger_postings app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.ledger_postings TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: merchants app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.merchants TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: notices app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.notices TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: payment_log app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.payment_log TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: payment_orders app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.payment_orders TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: psp_calls app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.psp_calls TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: refunds app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.refunds TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: sweeps app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.sweeps TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: webhook_endpoints app; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY app ON public.webhook_endpoints TO payloom_app USING (true) WITH CHECK (true);


--
-- Name: attempts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.attempts ENABLE ROW LEVEL SECURITY;

--
-- Name: connections; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.connections ENABLE ROW LEVEL SECURITY;

--
-- Name: deliveries; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.deliveries ENABLE ROW LEVEL SECURITY;

--
-- Name: events; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.events ENABLE ROW LEVEL SECURITY;

--
-- Name: jobs; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.jobs ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger_accounts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.ledger_accounts ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger_entries; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.ledger_entries ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger_postings; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.ledger_postings ENABLE ROW LEVEL SECURITY;

--
-- Name: merchants; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.merchants ENABLE ROW LEVEL SECURITY;

--
-- Name: notices; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.notices ENABLE ROW LEVEL SECURITY;

--
-- Name: payment_log; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.payment_log ENABLE ROW LEVEL SECURITY;

--
-- Name: payment_orders; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.payment_orders ENABLE ROW LEVEL SECURITY;

--
-- Name: psp_calls; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.psp_calls ENABLE ROW LEVEL SECURITY;

--
-- Name: attempts reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.attempts FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: connections reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.connections FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: deliveries reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.deliveries FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: events reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.events FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: jobs reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.jobs FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: ledger_accounts reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.ledger_accounts FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: ledger_entries reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.ledger_entries FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: ledger_postings reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.ledger_postings FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: merchants reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.merchants FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: notices reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.notices FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: payment_log reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.payment_log FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: payment_orders reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.payment_orders FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: psp_calls reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.psp_calls FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: refunds reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.refunds FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: sweeps reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.sweeps FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: webhook_endpoints reader; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY reader ON public.webhook_endpoints FOR SELECT TO payloom_reader USING ((merchant_id = (NULLIF(current_setting('payloom.merchant_id'::text, true), ''::text))::uuid));


--
-- Name: refunds; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.refunds ENABLE ROW LEVEL SECURITY;

--
-- Name: sweeps; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.sweeps ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook_endpoints; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhook_endpoints ENABLE ROW LEVEL SECURITY;

--
-- Name: TABLE api_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.api_keys TO payloom_app;


--
-- Name: TABLE attempt_transitions; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.attempt_transitions TO payloom_app;


--
-- Name: TABLE attempts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.attempts TO payloom_app;
GRANT SELECT ON TABLE public.attempts TO payloom_reader;


--
-- Name: TABLE business_clock; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,UPDATE ON TABLE public.business_clock TO payloom_app;


--
-- Name: TABLE connections; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.connections TO payloom_app;
GRANT SELECT ON TABLE public.connections TO payloom_reader;


--
-- Name: TABLE data_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.data_keys TO payloom_app;


--
-- Name: COLUMN data_keys.master_key_id; Type: ACL; Schema: public; Owner: -
--

GRANT UPDATE(master_key_id) ON TABLE public.data_keys TO payloom_app;


--
-- Name: COLUMN data_keys.wrapped; Type: ACL; Schema: public; Owner: -
--

GRANT UPDATE(wrapped) ON TABLE public.data_keys TO payloom_app;


--
-- Name: TABLE deliveries; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.deliveries TO payloom_app;
GRANT SELECT ON TABLE public.deliveries TO payloom_reader;


--
-- Name: TABLE events; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.events TO payloom_app;
GRANT SELECT ON TABLE public.events TO payloom_reader;


--
-- Name: TABLE idempotency_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_keys TO payloom_app;


--
-- Name: TABLE jobs; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs TO payloom_app;
GRANT SELECT ON TABLE public.jobs TO payloom_reader;


--
-- Name: TABLE ledger_accounts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.ledger_accounts TO payloom_app;
GRANT SELECT ON TABLE public.ledger_accounts TO payloom_reader;


--
-- Name: TABLE ledger_entries; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.ledger_entries TO payloom_app;
GRANT SELECT ON TABLE public.ledger_entries TO payloom_reader;


--
-- Name: TABLE ledger_postings; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.ledger_postings TO payloom_app;
GRANT SELECT ON TABLE public.ledger_postings TO payloom_reader;


--
-- Name: TABLE master_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.master_keys TO payloom_app;


--
-- Name: TABLE merchants; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.merchants TO payloom_app;
GRANT SELECT ON TABLE public.merchants TO payloom_reader;


--
-- Name: TABLE notices; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.notices TO payloom_app;
GRANT SELECT ON TABLE public.notices TO payloom_reader;


--
-- Name: TABLE notices_seen; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.notices_seen TO payloom_app;


--
-- Name: TABLE payment_log; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.payment_log TO payloom_app;
GRANT SELECT ON TABLE public.payment_log TO payloom_reader;


--
-- Name: TABLE payment_orders; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_orders TO payloom_app;
GRANT SELECT ON TABLE public.payment_orders TO payloom_reader;


--
-- Name: TABLE psp_calls; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.psp_calls TO payloom_app;
GRANT SELECT ON TABLE public.psp_calls TO payloom_reader;


--
-- Name: TABLE refund_transitions; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.refund_transitions TO payloom_app;


--
-- Name: TABLE refunds; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.refunds TO payloom_app;
GRANT SELECT ON TABLE public.refunds TO payloom_reader;


--
-- Name: TABLE schema_migrations; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.schema_migrations TO payloom_app;


--
-- Name: TABLE secrets; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.secrets TO payloom_app;


--
-- Name: TABLE sweeps; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.sweeps TO payloom_app;
GRANT SELECT ON TABLE public.sweeps TO payloom_reader;


--
-- Name: TABLE webhook_endpoints; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook_endpoints TO payloom_app;
GRANT SELECT ON TABLE public.webhook_endpoints TO payloom_reader;


--
-- PostgreSQL database dump complete
--

\unrestrict x

