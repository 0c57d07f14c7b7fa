import { refuseUnknownOptions, wholeNumber } from '@caracal/core';
import { type Connected, Connections } from '../connection.js';
import type { PostgresPool } from '../pool.js';

/** Options of {@link applyAuditRetention}. */
export interface AuditRetentionOptions {
  /** Months that ended more than so many days ago are dropped. */
  readonly retentionDays: number;
  /** Deadline for one month, ms. Default 60,000. */
  readonly timeoutMs?: number;
  /** ms since the epoch; default: now. */
  readonly now?: number;
}

/** A month that was dropped, as `caracal.audit_retention` records it. */
export interface DroppedMonth {
  /** `2026-01` */
  readonly month: string;
  readonly entries: number;
  /** Entries that were kept aside, because older ones of their chain stand in a later month. */
  readonly keptAside: number;
}

/** Default of `timeoutMs`. */
export const AUDIT_RETENTION_TIMEOUT_MS = 60_000;
const DAY_MS = 86_400_000;
const PARTITION = /^audit_(\d{4})_(\d{2})$/;

/**
 * Drops the months that are too old, oldest first, each in one transaction with the record that says so and with what the
 * chains that go on follow, so that they can still be verified. Needs the role that owns the tables: no gateway's role can
 * remove evidence.
 *
 * @throws PostgresError; what was dropped before it stays dropped. TypeError for options that are not in order.
 */
export async function applyAuditRetention(
  pool: PostgresPool,
  options: AuditRetentionOptions,
): Promise<readonly DroppedMonth[]> {
  refuseUnknownOptions('applyAuditRetention', options, ['retentionDays', 'timeoutMs', 'now']);
  const { retentionDays, timeoutMs = AUDIT_RETENTION_TIMEOUT_MS, now = Date.now() } = options;
  wholeNumber('applyAuditRetention', 'retentionDays', retentionDays);
  wholeNumber('applyAuditRetention', 'timeoutMs', timeoutMs);
  const connections = new Connections(pool);
  const { rows } = await connections.query(
    timeoutMs,
    `SELECT child.relname AS name FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
     WHERE inhparent = 'caracal.audit_entries'::regclass ORDER BY child.relname`,
  );
  const dropped: DroppedMonth[] = [];
  for (const { name } of rows) {
    const [, year, month] = PARTITION.exec(name) ?? [];
    if (year === undefined || month === undefined) continue; // somebody's own
    const ended = Date.UTC(Number(year), Number(month), 1);
    if (ended > now - retentionDays * DAY_MS) continue;
    const drop = (connected: Connected) => dropMonth(connected, name, `${year}-${month}`);
    dropped.push(await connections.transaction(timeoutMs, drop));
  }
  return dropped;
}

// `name` has the form of PARTITION: it needs no quotes.
async function dropMonth(connected: Connected, name: string, month: string): Promise<DroppedMonth> {
  const table = `caracal.${name}`;
  // The order in which months are made: nobody makes one while another is dropped.
  await connected.query(`SELECT pg_advisory_xact_lock(hashtext('caracal.audit_months'))`);
  await connected.query(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
  await connected.query(
    `CREATE TEMPORARY TABLE going_on ON COMMIT DROP AS
     SELECT own.chain, (
       SELECT min(kept.seq) FROM caracal.audit_entries AS kept
       WHERE kept.chain = own.chain AND kept.tableoid <> '${table}'::regclass
     ) AS first_kept
     FROM (SELECT DISTINCT chain FROM ${table}) AS own`,
  );
  // At the turn of a month records of concurrent requests may stand in another order in their chain than by time.
  const aside = await connected.query(
    `INSERT INTO caracal.audit_set_aside (chain, seq, sha256, reason, detail, bytes)
     SELECT own.chain, own.seq, sha256(convert_to(own.line, 'UTF8')), 'retention', $1, convert_to(own.line, 'UTF8')
     FROM ${table} AS own JOIN going_on USING (chain) WHERE own.seq > going_on.first_kept ON CONFLICT DO NOTHING`,
    [month],
  );
  await connected.query(
    `UPDATE caracal.audit_chains AS known SET removed_seq = gone.seq, removed_hash = gone.hash
     FROM (
       SELECT DISTINCT ON (own.chain) own.chain, own.seq, substr(right(own.line, 66), 1, 64) AS hash
       FROM ${table} AS own JOIN going_on USING (chain)
       WHERE going_on.first_kept IS NULL OR own.seq < going_on.first_kept ORDER BY own.chain, own.seq DESC
     ) AS gone
     WHERE known.chain = gone.chain AND coalesce(known.removed_seq, 0) < gone.seq`,
  );
  await connected.query(
    `DELETE FROM caracal.audit_heads AS head USING caracal.audit_chains AS known
     WHERE known.chain = head.chain AND head.seq < known.removed_seq`,
  );
  const keptAside = aside.rowCount ?? 0;
  const { rows } = await connected.query(
    `INSERT INTO caracal.audit_retention (month, entries, first_at, last_at, kept_aside)
     SELECT $1::date, count(*), min(at), max(at), $2 FROM ${table} RETURNING entries::text AS entries`,
    [`${month}-01`, keptAside],
  );
  await connected.query(`DROP TABLE ${table}`);
  return { month, entries: Number(rows[0].entries), keptAside };
}
