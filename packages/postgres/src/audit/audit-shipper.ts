import { setImmediate as turn } from 'node:timers/promises';
import { pause } from '../pause.js';
import { postgresError } from '../postgres-error.js';
import { AuditWriter } from './audit-writer.js';
import { entryRow } from './entry-row.js';
import { HeadQueue } from './head-queue.js';
import type { DamagedLine, JournalSource, SourceEntry, SourceHead } from './journal-source.js';
import { RequestMemory } from './request-memory.js';
import { type Place, RowBatch } from './row-batch.js';
import { type PostgresAuditShipperOptions, type ShipperSettings, shipperSettings } from './shipper-options.js';
import { ShippingPace } from './shipping-pace.js';

/** How the shipping goes. */
export interface ShipperStatus {
  /** `retrying`: PostgreSQL (or the journal) fails; the journal keeps what waits. */
  readonly state: 'stopped' | 'shipping' | 'retrying';
  /** Entries stored since the start. */
  readonly shipped: number;
  /** Of them, those that were there already. */
  readonly duplicates: number;
  /** Entries that were set aside. */
  readonly setAside: number;
  /** Entries read and not yet stored; the journal may hold more. */
  readonly waiting: number;
  /** When the last entry that was stored was made, ISO 8601. */
  readonly shippedThrough: string | undefined;
  /** Why it is retrying: a code of `PostgresError`. */
  readonly fault: string | undefined;
}

/** Moves a journal's evidence to PostgreSQL, as it is written. */
export interface AuditShipper {
  /** Begins, from where the last one stopped. Once. */
  start(source: JournalSource): void;
  /** Takes a signed head, to be stored with what it covers: the journal's `headSink`. Waits for nothing. */
  keepHead(head: SourceHead): void;
  status(): ShipperStatus;
  /**
   * Ships what is left and ends, after `timeoutMs` (5,000) in any case: what is left then is shipped at the next start.
   * Close the journal first. Idempotent.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/** Default of `timeoutMs` of {@link AuditShipper.close}. */
export const SHIPPER_CLOSE_MS = 5000;
const FIRST_RETRY_MS = 100;
/** Entries that come together are stored together. */
const LINGER_MS = 50;
/** After so many entries requests have their turn: about a millisecond. */
const ENTRIES_A_TURN = 100;

/**
 * Ships a journal to PostgreSQL. The journal is the queue: no request waits for PostgreSQL, and while that is away nothing
 * is lost as long as the journal has room. Every entry is stored once, whatever is sent again.
 *
 * @throws TypeError for options that are not in order.
 */
export function postgresAuditShipper(options: PostgresAuditShipperOptions): AuditShipper {
  return new PostgresAuditShipper(shipperSettings(options));
}

class PostgresAuditShipper implements AuditShipper {
  readonly #settings: ShipperSettings;
  readonly #writer: AuditWriter;
  readonly #pace: ShippingPace;
  readonly #requests = new RequestMemory();
  readonly #heads = new HeadQueue();
  /** Ends everything. */
  readonly #ending = new AbortController();
  /** Ends resting: what is left is to be shipped now. */
  readonly #hurry = new AbortController();
  /** What is read meanwhile, and what is being stored. */
  #filling = new RowBatch();
  #storing = new RowBatch();
  #damaged: DamagedLine[] = [];
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** What was read last, and what was stored last. */
  #read: Place | undefined;
  #stored: Place | undefined;
  /** When something was read last, monotonic; infinite before reading has begun. */
  #readAt = Number.POSITIVE_INFINITY;
  /** Ends one reading of the journal. */
  #round = new AbortController();
  /** A try has failed: the server that answers next may be another one, or an older state of it. */
  #suspect = false;
  #fault: string | undefined;
  #shippedThrough: string | undefined;
  #shipped = 0;
  #duplicates = 0;
  #setAside = 0;

  constructor(settings: ShipperSettings) {
    this.#settings = settings;
    this.#pace = new ShippingPace(settings.sharePercent, settings.clock);
    this.#writer = new AuditWriter(settings.pool, settings.journal, settings.timeoutMs);
  }

  start(source: JournalSource): void {
    if (this.#running !== undefined) throw new TypeError('postgresAuditShipper: it is started once');
    this.#running = this.#run(source);
  }

  keepHead(head: SourceHead): void {
    this.#heads.add(head);
    // A quiet journal brings no batch that would take it along.
    if (this.#running !== undefined) this.#flushLater();
  }

  status(): ShipperStatus {
    const running = this.#running !== undefined && this.#closing === undefined;
    return {
      state: !running ? 'stopped' : this.#fault === undefined ? 'shipping' : 'retrying',
      shipped: this.#shipped,
      duplicates: this.#duplicates,
      setAside: this.#setAside,
      waiting: this.#filling.count + this.#storing.count,
      shippedThrough: this.#shippedThrough,
      fault: this.#fault,
    };
  }

  close({ timeoutMs = SHIPPER_CLOSE_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#hurry.abort();
    if (this.#running === undefined) return;
    const deadline = setTimeout(() => this.#ending.abort(), timeoutMs);
    const { clock } = this.#settings;
    const closedAt = clock.monotonic();
    // A journal of another process has no end: where nothing has come for a while, everything has. Counted from now: what
    // was written last may be gathering still, however quiet it was before.
    const quiet = setInterval(() => {
      const since = clock.monotonic() - Math.max(this.#readAt, closedAt);
      if (since > 3 * this.#settings.gatherMs + 500 && this.#filling.count === 0 && this.#storing.count === 0) {
        this.#ending.abort();
      }
    }, 100);
    try {
      await this.#running;
    } finally {
      clearTimeout(deadline);
      clearInterval(quiet);
      clearTimeout(this.#timer);
      this.#ending.abort();
    }
  }

  async #run(source: JournalSource): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        this.#round = new AbortController();
        await this.#follow(source, AbortSignal.any([signal, this.#round.signal]));
        await this.#flush(true);
        if (!this.#round.signal.aborted) return; // the journal was closed
      } catch (cause) {
        if (signal.aborted) return;
        this.#failed('source_failed', 'the audit journal cannot be read; shipping to PostgreSQL is tried again', cause);
        await pause(this.#settings.maxRetryMs, signal);
      }
    }
  }

  async #follow(source: JournalSource, signal: AbortSignal): Promise<void> {
    this.#readAt = Number.POSITIVE_INFINITY;
    const from = await this.#retried(() => this.#writer.position());
    this.#suspect = false;
    this.#stored = from;
    this.#read = from;
    for (const head of await source.heads()) this.#heads.add(head);
    const { gatherMs, clock } = this.#settings;
    this.#readAt = clock.monotonic();
    const onDamaged = (line: DamagedLine) => void this.#damaged.push(line);
    let taken = 0;
    for await (const entry of source.entries({ from: from ?? 'start', follow: true, gatherMs, signal, onDamaged })) {
      this.#take(entry);
      if (++taken % ENTRIES_A_TURN === 0) await turn();
      const { batchEntries, batchCharacters } = this.#settings;
      if (this.#filling.count >= batchEntries || this.#filling.characters >= batchCharacters) await this.#flush();
      else this.#flushLater();
    }
  }

  #take(entry: SourceEntry): void {
    this.#readAt = this.#settings.clock.monotonic();
    this.#judgeGap(entry);
    this.#read = { chain: entry.chain, seq: entry.seq };
    try {
      this.#filling.add(entryRow(entry, this.#requests));
    } catch {
      const { chain, seq, line } = entry; // it says no time or place to find it by, or is no line
      this.#damaged.push({ chain, seq: Number.isSafeInteger(seq) ? seq : 0, line });
    }
  }

  #judgeGap({ chain, seq, record }: SourceEntry): void {
    const before = this.#read;
    const follows = before?.chain === chain ? seq === before.seq + 1 : seq === 1;
    if (before === undefined || follows || record.type === 'chain.started') return;
    this.#settings.onWarning({
      code: 'gap',
      message: `chain ${chain}: entries before ${seq} were gone from the journal before they were shipped`,
    });
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#flush(); // tells its own faults, and ends with close()
    }, LINGER_MS).unref();
  }

  /** Stores everything that was read. `last`: and heads that are not due yet. */
  async #flush(last = false): Promise<void> {
    this.#flushing ??= this.#storeAll().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
    if (last) await this.#storeAll(true);
  }

  async #storeAll(last = false): Promise<void> {
    do {
      const rows = this.#filling;
      const damaged = this.#damaged;
      this.#filling = this.#storing;
      this.#storing = rows;
      this.#damaged = [];
      const startedAt = this.#settings.clock.monotonic();
      if (rows.count > 0 || damaged.length > 0) await this.#storeBatch(rows, damaged);
      rows.clear();
      await this.#storeHead(last);
      await this.#rest(this.#settings.clock.monotonic() - startedAt);
    } while (this.#filling.count + this.#damaged.length > 0 && !this.#ending.signal.aborted);
  }

  async #rest(tookMs: number): Promise<void> {
    const ms = this.#pace.restMs(tookMs, this.#shippedThrough);
    if (ms >= 1) await pause(ms, this.#hurry.signal);
  }

  async #storeBatch(rows: RowBatch, damaged: readonly DamagedLine[]): Promise<void> {
    const result = await this.#retried(async () => {
      if (this.#suspect && !this.#isWhereItWas(await this.#writer.position(), rows)) return this.#goBack();
      this.#suspect = false;
      return await this.#writer.store({ rows, damaged, heads: [] });
    });
    if (result === undefined) return;
    const { count, last } = rows;
    if (last !== undefined) {
      const chains = new Set([this.#stored?.chain, ...rows.chains.keys()]);
      this.#stored = { chain: last.chain, seq: last.seq };
      this.#shippedThrough = last.time;
      for (const chain of chains) if (chain !== undefined && chain !== last.chain) await this.#endChain(chain);
    }
    this.#shipped += count - result.setAside + damaged.length;
    this.#duplicates += result.duplicates;
    this.#setAside += result.setAside;
    if (result.setAside > 0) {
      this.#settings.onWarning({
        code: 'set_aside',
        message: `${result.setAside} audit entries are kept in caracal.audit_set_aside: the table of entries cannot hold them`,
      });
    }
  }

  /** Whether the database has what was stored, and perhaps some of these rows: the answer to a commit may have been lost. */
  #isWhereItWas(position: Place | undefined, rows: RowBatch): boolean {
    const stored = this.#stored;
    if (position === undefined) return stored === undefined;
    return (position.chain === stored?.chain && position.seq === stored.seq) || rows.spans(position);
  }

  // A standby that lacked the last transactions has taken over, or a backup was restored: the journal still has all of it.
  #goBack(): undefined {
    this.#filling.clear();
    this.#damaged = [];
    this.#round.abort();
    this.#settings.onWarning({
      code: 'set_back',
      message: 'PostgreSQL lacks audit entries it had stored; they are shipped again from the journal',
    });
  }

  async #storeHead(all: boolean, of = this.#stored): Promise<void> {
    const head = of && this.#heads.take(of.chain, of.seq, this.#settings.clock.monotonic(), all);
    if (head !== undefined) await this.#retried(() => this.#writer.store({ damaged: [], heads: [head] }));
  }

  async #endChain(chain: string): Promise<void> {
    await this.#storeHead(true, { chain, seq: Number.POSITIVE_INFINITY });
    this.#heads.forget(chain);
  }

  /** Tries until it is done; `undefined` where the shipper ended first. */
  async #retried<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#ending;
    const { maxRetryMs } = this.#settings;
    for (let waitMs = FIRST_RETRY_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, maxRetryMs)) {
      try {
        const result = await work();
        this.#works();
        return result;
      } catch (cause) {
        const error = postgresError(cause);
        this.#suspect = true;
        this.#writer.forget();
        this.#failed('unavailable', `audit entries wait in the journal: ${error.message}`, error);
        // Not all gateways at once when it comes back.
        await pause(waitMs * (0.5 + Math.random() / 2), signal);
      }
    }
    return undefined;
  }

  #failed(code: 'unavailable' | 'source_failed', message: string, cause: unknown): void {
    const fault = (cause as { code?: unknown }).code;
    const before = this.#fault;
    this.#fault = typeof fault === 'string' ? fault : code;
    if (before !== this.#fault) this.#settings.onWarning({ code, message, cause });
  }

  #works(): void {
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#settings.onWarning({ code: 'recovered', message: 'audit entries are shipped to PostgreSQL again' });
  }
}
