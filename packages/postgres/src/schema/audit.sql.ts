/**
 * The evidence. A line is kept as it stands in the journal; the columns beside it are what queries look for, cut to 512
 * UTF-16 units, so that no index row comes near PostgreSQL's limit of 2,704 bytes.
 */
export const AUDIT_SQL = /* sql */ `
CREATE TABLE caracal.audit_entries (
  -- The time in the entry's UUIDv7: the same entry always belongs to the same month, however often it arrives.
  at             timestamptz NOT NULL,
  id             uuid        NOT NULL,
  chain          uuid        NOT NULL,
  seq            bigint      NOT NULL,
  type           text        NOT NULL,
  time           timestamptz NOT NULL,
  gateway_id     text,
  request_id     uuid,
  -- Of a request.completed, which is slim: those of its request.authorized.
  zone_id        text,
  application_id text,
  resource       text,
  issuer         text,
  subject        text,
  jti            text,
  decision       text,
  error          text,
  outcome        text,
  status         integer,
  line           text        NOT NULL,
  PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);

CREATE INDEX audit_entries_chain ON caracal.audit_entries (chain, seq);
CREATE INDEX audit_entries_request ON caracal.audit_entries (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX audit_entries_application ON caracal.audit_entries (application_id, at, id);
CREATE INDEX audit_entries_resource ON caracal.audit_entries (resource, at, id);
CREATE INDEX audit_entries_issue ON caracal.audit_entries (jti) WHERE type = 'mandate.issued';
-- The end of a request whose beginning its shipper had not seen: told by the beginning when it is asked for.
CREATE INDEX audit_entries_orphan ON caracal.audit_entries (at, id)
  WHERE type = 'request.completed' AND zone_id IS NULL;

-- What does not fit above and must not be lost: its bytes are here, and so the chain can still be verified.
CREATE TABLE caracal.audit_set_aside (
  chain    uuid        NOT NULL,
  seq      bigint      NOT NULL,
  sha256   bytea       NOT NULL,
  -- unstorable: refused by the table; conflict: another entry has its id; retention: its month was dropped, its chain goes on.
  reason   text        NOT NULL,
  detail   text        NOT NULL,
  bytes    bytea       NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain, seq, sha256)
);

CREATE TABLE caracal.audit_chains (
  chain          uuid PRIMARY KEY,
  predecessor    uuid,
  first_seen_at  timestamptz NOT NULL DEFAULT now(),
  -- Up to here retention has dropped it.
  removed_seq    bigint,
  removed_hash   text
);

CREATE TABLE caracal.audit_heads (
  chain     uuid        NOT NULL,
  seq       bigint      NOT NULL,
  time      timestamptz NOT NULL,
  line      text        NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain, seq, time)
);

-- How far each journal has been shipped; changes in the transaction that stores what it speaks of.
CREATE TABLE caracal.audit_positions (
  journal    text PRIMARY KEY,
  chain      uuid        NOT NULL,
  seq        bigint      NOT NULL,
  shipped_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE caracal.audit_retention (
  month      date        NOT NULL,
  dropped_at timestamptz NOT NULL DEFAULT now(),
  entries    bigint      NOT NULL,
  first_at   timestamptz,
  last_at    timestamptz,
  kept_aside bigint      NOT NULL,
  PRIMARY KEY (month, dropped_at)
);

CREATE FUNCTION caracal.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % refused: evidence is only added; retention drops whole months', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON caracal.audit_entries
  FOR EACH ROW EXECUTE FUNCTION caracal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON caracal.audit_set_aside
  FOR EACH ROW EXECUTE FUNCTION caracal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON caracal.audit_retention
  FOR EACH ROW EXECUTE FUNCTION caracal.refuse_change();
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON caracal.audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION caracal.refuse_change();
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON caracal.audit_set_aside
  FOR EACH STATEMENT EXECUTE FUNCTION caracal.refuse_change();
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON caracal.audit_retention
  FOR EACH STATEMENT EXECUTE FUNCTION caracal.refuse_change();

-- Makes the month of a time and the next one. A shipper may call it and nothing else that makes tables. Attaching takes a
-- weaker lock than CREATE TABLE ... PARTITION OF, so that inserts and queries go on.
CREATE FUNCTION caracal.ensure_audit_months(of timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first timestamp := date_trunc('month', of AT TIME ZONE 'UTC');
  month timestamp;
  name text;
BEGIN
  IF of < '2000-01-01Z' OR of > now() + interval '400 days' THEN
    RAISE EXCEPTION 'no partition is made for %', of USING ERRCODE = 'datetime_field_overflow';
  END IF;
  FOREACH month IN ARRAY ARRAY[first, first + interval '1 month'] LOOP
    name := 'audit_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN to_regclass('caracal.' || name) IS NOT NULL;
    PERFORM pg_advisory_xact_lock(hashtext('caracal.audit_months'));
    CONTINUE WHEN to_regclass('caracal.' || name) IS NOT NULL;
    EXECUTE format('CREATE TABLE caracal.%I (LIKE caracal.audit_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE caracal.audit_entries ATTACH PARTITION caracal.%I FOR VALUES FROM (%L) TO (%L)', name,
      month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TRIGGER not_emptied BEFORE TRUNCATE ON caracal.%I FOR EACH STATEMENT EXECUTE FUNCTION caracal.refuse_change()', name);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION caracal.ensure_audit_months(timestamptz) FROM PUBLIC;

-- Which of these entries are not in the table as they are: for a role that may not read it. Answers positions in the arrays.
CREATE FUNCTION caracal.audit_conflicts(ats timestamptz[], ids uuid[], chains uuid[], seqs bigint[], hashes text[])
  RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT given.n FROM unnest(ats, ids, chains, seqs, hashes) WITH ORDINALITY AS given (at, id, chain, seq, hash, n)
  WHERE NOT EXISTS (
    SELECT FROM caracal.audit_entries AS kept
    WHERE kept.at = given.at AND kept.id = given.id AND kept.chain = given.chain AND kept.seq = given.seq
      AND substr(right(kept.line, 66), 1, 64) = given.hash
  )
$$;
REVOKE ALL ON FUNCTION caracal.audit_conflicts(timestamptz[], uuid[], uuid[], bigint[], text[]) FROM PUBLIC;

-- One row a request: what was decided, and how it ended. json, not jsonb: it keeps what a line says, escapes of U+0000 too.
CREATE VIEW caracal.audit_requests AS
SELECT began.at, began.request_id, began.zone_id, began.application_id, began.subject, began.issuer, began.resource,
  began.decision, coalesce(ended.error, began.error) AS error, coalesce(ended.status, began.status) AS status,
  coalesce(ended.outcome, began.outcome) AS outcome, ended.at AS ended_at, began.line::json AS began, ended.line::json AS ended
FROM caracal.audit_entries AS began
LEFT JOIN caracal.audit_entries AS ended
  ON ended.request_id = began.request_id AND ended.type = 'request.completed' AND began.type = 'request.authorized'
WHERE began.type IN ('request.authorized', 'request.denied')
UNION ALL
SELECT alone.at, alone.request_id, alone.zone_id, alone.application_id, alone.subject, alone.issuer, alone.resource,
  alone.decision, alone.error, alone.status, alone.outcome, alone.at, NULL, alone.line::json
FROM caracal.audit_entries AS alone
WHERE alone.type = 'request.completed' AND NOT EXISTS (
  SELECT FROM caracal.audit_entries AS began
  WHERE began.request_id = alone.request_id AND began.type = 'request.authorized'
);
`;
