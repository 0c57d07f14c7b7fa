import { hash } from 'node:crypto';
import { arrayLiteral } from '../array-literal.js';
import { type Connected, Connections } from '../connection.js';
import type { PostgresPool } from '../pool.js';
import { blamesValues, type PostgresError, postgresError } from '../postgres-error.js';
import { uuidOf } from '../uuid.js';
import { type EntryRow, ROW_COLUMNS } from './entry-row.js';
import type { DamagedLine, SourceHead } from './journal-source.js';
import type { Place, RowBatch } from './row-batch.js';

const COLUMN_NAMES = Object.keys(ROW_COLUMNS) as (keyof typeof ROW_COLUMNS)[];
/** Where none of them is there yet, which is nearly always: two thirds of what {@link INSERT} costs the server. */
const COPY = `COPY caracal.audit_entries (${COLUMN_NAMES.join(', ')}, line) FROM STDIN`;
const ARRAYS = Object.values(ROW_COLUMNS).map((type, index) => `$${index + 1}::${type}[]`);
/**
 * Where some may be there. However many rows: one parameter a column. The lines are one text, split by the server: an array of them would have every
 * quote escaped and read back again.
 */
const INSERT = `INSERT INTO caracal.audit_entries (${COLUMN_NAMES.join(', ')}, line)
SELECT * FROM unnest(${ARRAYS.join(', ')}, string_to_array($${ARRAYS.length + 1}, E'\\n')) ON CONFLICT DO NOTHING`;

/** What one transaction stores. */
export interface AuditBatch {
  readonly rows?: RowBatch;
  readonly damaged: readonly DamagedLine[];
  readonly heads: readonly SourceHead[];
}

/** What came of it. */
export interface AuditStored {
  /** Entries that were there already. */
  readonly duplicates: number;
  readonly setAside: number;
}

const NOTHING: AuditStored = Object.freeze({ duplicates: 0, setAside: 0 });

interface SetAside {
  readonly chain: string;
  readonly seq: number;
  readonly line: string;
  readonly reason: 'unstorable' | 'conflict';
  readonly detail: string;
}

/** Stores evidence so that it is there once, however often it is sent, and nothing that is refused takes others with it. */
export class AuditWriter {
  readonly #connections: Connections;
  readonly #journal: string;
  readonly #timeoutMs: number;
  readonly #months = new Set<string>();
  readonly #chains = new Set<string>();
  /** The last batch had entries that were there already: the next one will have some too. */
  #resending = false;

  constructor(pool: PostgresPool, journal: string, timeoutMs: number) {
    this.#connections = new Connections(pool);
    this.#journal = journal;
    this.#timeoutMs = timeoutMs;
  }

  /** Looks again for what is taken to be there: the next answer may come from another server. */
  forget(): void {
    this.#months.clear();
    this.#chains.clear();
  }

  /** How far this journal was stored. @throws PostgresError */
  async position(): Promise<{ readonly chain: string; readonly seq: number } | undefined> {
    const { rows } = await this.#connections.query(
      this.#timeoutMs,
      'SELECT chain::text AS chain, seq::text AS seq FROM caracal.audit_positions WHERE journal = $1',
      [this.#journal],
    );
    return rows[0] && { chain: rows[0].chain, seq: Number(rows[0].seq) };
  }

  /**
   * Stores a batch and how far it reaches, in one transaction. Where PostgreSQL refuses the values of one row, that row is
   * set aside and the others are stored: then it takes several, in order, and what was stored stays so.
   *
   * @throws PostgresError for what is not to blame on a row: send the same batch again.
   */
  async store({ rows, damaged, heads }: AuditBatch): Promise<AuditStored> {
    const stored = rows === undefined || rows.count === 0 ? NOTHING : await this.#storeRows(rows);
    if (damaged.length > 0 || heads.length > 0) {
      await this.#transaction(async (connected) => {
        await this.#setAside(
          connected,
          damaged.map((line) => aside(line, 'unstorable', 'damaged')),
        );
        await this.#heads(connected, heads);
      });
    }
    return { duplicates: stored.duplicates, setAside: stored.setAside + damaged.length };
  }

  // Whatever refuses a row of a COPY refuses all of it: then they are looked at one by one.
  async #storeRows(batch: RowBatch): Promise<AuditStored> {
    if (!this.#resending) {
      try {
        return await this.#copyTogether(batch);
      } catch (cause) {
        if (!blamesValues(postgresError(cause))) throw cause;
      }
    }
    const stored = await this.#storeIsolating(batch.rows());
    this.#resending = stored.duplicates > 0;
    return stored;
  }

  async #copyTogether(batch: RowBatch): Promise<AuditStored> {
    await this.#ensureMonths(batch.months);
    await this.#beginChains(batch.chains);
    return await this.#transaction(async (connected) => {
      await connected.copy(COPY, batch.bytes);
      await this.#moveOn(connected, batch.last!);
      return NOTHING;
    });
  }

  async #storeIsolating(rows: readonly EntryRow[]): Promise<AuditStored> {
    try {
      return await this.#storeTogether(rows);
    } catch (cause) {
      const error = postgresError(cause);
      if (!blamesValues(error)) throw error;
      const [only] = rows;
      if (rows.length === 1 && only !== undefined) return await this.#storeAlone(only, error);
      // The refused one is in one half or the other; the first goes first, so that the position is always true.
      const middle = rows.length >> 1;
      const first = await this.#storeIsolating(rows.slice(0, middle));
      const second = await this.#storeIsolating(rows.slice(middle));
      return { duplicates: first.duplicates + second.duplicates, setAside: first.setAside + second.setAside };
    }
  }

  async #storeTogether(rows: readonly EntryRow[]): Promise<AuditStored> {
    await this.#ensureMonths(new Set(rows.map(({ at }) => at.slice(0, 7))));
    await this.#beginChains(rows.map(({ chain, predecessor }) => [chain, predecessor]));
    return await this.#transaction(async (connected) => {
      const { rowCount } = await connected.query(INSERT, insertValues(rows));
      const missing = rows.length - (rowCount ?? 0);
      const conflicts = missing === 0 ? [] : await this.#conflicts(connected, rows);
      await this.#setAside(
        connected,
        conflicts.map((row) => aside(row, 'conflict', 'another entry has this id')),
      );
      await this.#moveOn(connected, rows.at(-1)!);
      return { duplicates: missing - conflicts.length, setAside: conflicts.length };
    });
  }

  async #storeAlone(row: EntryRow, { sqlState }: PostgresError): Promise<AuditStored> {
    await this.#beginChains([[row.chain, row.predecessor]]);
    // Its month may only have been missing.
    if (sqlState === '23514') {
      try {
        return await this.#storeTogether([row]);
      } catch (cause) {
        if (!blamesValues(postgresError(cause))) throw cause;
      }
    }
    await this.#transaction(async (connected) => {
      await this.#setAside(connected, [aside(row, 'unstorable', sqlState ?? 'refused')]);
      await this.#moveOn(connected, row);
    });
    return { duplicates: 0, setAside: 1 };
  }

  async #transaction<T>(work: (connected: Connected) => Promise<T>): Promise<T> {
    try {
      return await this.#connections.transaction(this.#timeoutMs, work);
    } catch (cause) {
      // 23514: a month was dropped since it was last looked for; it is looked for again.
      if (postgresError(cause).sqlState === '23514') this.#months.clear();
      throw cause;
    }
  }

  // In a transaction of its own: making a table takes a lock that the insert of a batch must not hold.
  async #ensureMonths(months: ReadonlySet<string>): Promise<void> {
    for (const month of months) {
      if (this.#months.has(month)) continue;
      await this.#connections.query(this.#timeoutMs, `SELECT caracal.ensure_audit_months($1::timestamptz)`, [
        `${month}-01T00:00:00Z`,
      ]);
      this.#months.add(month);
    }
  }

  async #conflicts(connected: Connected, rows: readonly EntryRow[]): Promise<readonly EntryRow[]> {
    const result = await connected.query('SELECT n::int AS n FROM caracal.audit_conflicts($1, $2, $3, $4, $5) AS n', [
      rows.map(({ at }) => at),
      rows.map(({ id }) => id),
      rows.map(({ chain }) => chain),
      rows.map(({ seq }) => seq),
      rows.map(({ hash: own }) => own),
    ]);
    return result.rows.flatMap(({ n }) => rows[n - 1] ?? []);
  }

  async #setAside(connected: Connected, lines: readonly SetAside[]): Promise<void> {
    for (const { chain, seq, line, reason, detail } of lines) {
      const bytes = Buffer.from(line);
      await connected.query(
        `INSERT INTO caracal.audit_set_aside (chain, seq, sha256, reason, detail, bytes)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
        [uuidOf(chain), seq, hash('sha256', bytes, 'buffer'), reason, detail, bytes],
      );
    }
  }

  // Before its entries: a chain without entries misleads nobody, entries without a chain would not be verified.
  async #beginChains(chains: Iterable<readonly [string, string | undefined]>): Promise<void> {
    for (const [chain, predecessor] of chains) {
      if (this.#chains.has(chain)) continue;
      await this.#connections.query(
        this.#timeoutMs,
        'INSERT INTO caracal.audit_chains (chain, predecessor) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [chain, predecessor],
      );
      this.#chains.add(chain);
    }
  }

  async #heads(connected: Connected, heads: readonly SourceHead[]): Promise<void> {
    for (const head of heads) {
      await connected.query(
        'INSERT INTO caracal.audit_heads (chain, seq, time, line) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        [uuidOf(head.chain), head.seq, head.time, JSON.stringify(head)],
      );
    }
  }

  async #moveOn(connected: Connected, { chain, seq }: Place): Promise<void> {
    await connected.query(
      `INSERT INTO caracal.audit_positions (journal, chain, seq) VALUES ($1, $2, $3)
       ON CONFLICT (journal) DO UPDATE SET chain = excluded.chain, seq = excluded.seq, shipped_at = now()`,
      [this.#journal, chain, seq],
    );
  }
}

function insertValues(rows: readonly EntryRow[]): unknown[] {
  const values: unknown[] = COLUMN_NAMES.map((_, index) => arrayLiteral(rows.map((row) => row.values[index] ?? null)));
  values.push(rows.map(({ line }) => line).join('\n'));
  return values;
}

function aside(
  { chain, seq, line }: { readonly chain: string; readonly seq: number; readonly line: string },
  reason: SetAside['reason'],
  detail: string,
): SetAside {
  return { chain, seq, line, reason, detail };
}
