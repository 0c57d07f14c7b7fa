import { randomUUID } from 'node:crypto';
import {
  type Anchor,
  CaracalError,
  type Clock,
  checkedAnchor,
  RevocationIndex,
  type RevocationListener,
  RevocationListeners,
  type RevocationStore,
} from '@caracal/core';
import type { RedisClient } from '../commands/client.js';
import type { OnWarning } from '../store-options.js';
import { type Change, hoursOf, lifting, revocation } from './change.js';
import type { Commit, RevocationDataset } from './dataset.js';
import { Freshness } from './freshness.js';
import { DamagedDataset, type Head, parseHead, type SealedBucket, sealedHead } from './head.js';
import { inSlices } from './in-slices.js';
import { type Loaded, loadDataset } from './load.js';
import { MemoryOfLoss } from './memory-of-loss.js';
import { type Pending, PendingChanges } from './pending-changes.js';
import type { Replicas } from './replicas.js';
import type { Seals } from './seals.js';
import { type Plan, RevocationState } from './state.js';

/** A store that follows its dataset until it is closed. */
export interface RedisRevocationStore extends RevocationStore {
  /**
   * Resolves when the state is complete and fresh.
   *
   * @throws CaracalError `revocation_unavailable`, reason `not_ready`, after `timeoutMs` (default 10,000)
   */
  ready(timeoutMs?: number): Promise<void>;
  /** Follows no more, so that the state grows stale. The client stays yours to close. Idempotent. */
  close(): Promise<void>;
}

/** What the store works with. */
export interface RevocationParts {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly dataset: RevocationDataset;
  readonly seals: Seals;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly settleMs: number;
  readonly maxEntries: number;
  readonly beginsDataset: boolean;
  readonly onWarning: OnWarning;
  /** Asked after each revocation; `undefined`: none is. */
  readonly replicas: Replicas | undefined;
}

/** Changes in one commit. */
const MAX_CHANGES = 500;
/** Deadlines of one command that a change waits for its commit: others may commit before it, or the dataset be read first. */
const TURNS = 5;
/** How soon a turn that failed is taken again, ms: where there is no connection it costs nothing. */
const RETRY_MS = 100;
/** Unanswered beats in a row after which a connection counts as dead, though nobody has said so. */
const SILENT_BEATS = 3;

/** See `redisRevocationStore`. Everything that waits for Redis happens in one turn after the other. */
export class FollowedRevocations implements RedisRevocationStore {
  readonly #parts: RevocationParts;
  readonly #wallAtStart: number;
  readonly #listeners = new RevocationListeners();
  readonly #pending = new PendingChanges();
  /** Revoked here, and not known to be in the dataset. */
  readonly #unwritten = new RevocationIndex();
  readonly #freshness: Freshness;
  #known: Loaded | undefined;
  #loss: MemoryOfLoss | undefined;
  /** What is known here must be read again. */
  #stale = true;
  #serverHours = Number.NEGATIVE_INFINITY;
  /** Of the server's data, as the last beat named it. */
  #history: string | undefined;
  /** Monotonic, ms. */
  #lastBeat = Number.NEGATIVE_INFINITY;
  #silentBeats = 0;
  #trouble: string | undefined;
  #turning = false;
  #turnAgain = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #cleaning = false;
  #closed = false;

  constructor(parts: RevocationParts) {
    this.#parts = parts;
    this.#freshness = new Freshness(parts.clock, parts.settleMs);
    this.#wallAtStart = parts.clock.now() - parts.clock.monotonic();
    this.#turn();
  }

  /** What is followed now, for whoever listens to the log. */
  get position(): Head | undefined {
    return this.#stale ? undefined : this.#known?.head;
  }

  isRevoked(anchors: readonly Anchor[]): boolean {
    const now = hoursOf(this.#now());
    if (this.#known?.state.index.hasAny(anchors, now)) return true;
    if (this.#unwritten.size > 0 && this.#unwritten.hasAny(anchors, now)) return true;
    return this.#loss?.has(anchors, now) ?? false;
  }

  freshAsOf(): number {
    return this.#freshness.asOf;
  }

  async revoke(anchor: Anchor): Promise<void> {
    const checked = checkedAnchor(anchor);
    const isNew = !this.isRevoked([checked]);
    if (isNew && !this.#hasRoom()) throw new CaracalError('revocation_unavailable', 'store_full');
    const change = revocation(checked, this.#latest());
    const written = this.#write(change);
    // Here at once: what goes on under this anchor must not wait for Redis, nor for its absence.
    this.#unwritten.set(checked, change.end);
    const told = isNew ? this.#listeners.tell(checked) : this.#listeners.telling;
    const [writing, telling] = await Promise.allSettled([written, told]);
    if (writing.status === 'rejected') throw writing.reason;
    if (telling.status === 'rejected') throw telling.reason;
    await this.#parts.replicas?.confirm();
  }

  async lift(anchor: Anchor): Promise<void> {
    await this.#write(lifting(checkedAnchor(anchor), this.#latest()));
  }

  subscribe(tell: RevocationListener): () => void {
    return this.#listeners.subscribe(tell);
  }

  ready(timeoutMs = 10_000): Promise<void> {
    return this.#freshness.ready(timeoutMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#freshness.close();
    this.#pending.clear(new CaracalError('revocation_unavailable', 'closed'));
  }

  /** Follows commits, oldest first, and does without those it has. Tells of what is newly revoked. */
  follow(commits: readonly Commit[]): void {
    for (const { head, changes } of commits) {
      const known = this.#known;
      if (this.#stale || known === undefined || head.generation !== known.head.generation) return;
      if (head.sequence <= known.head.sequence) continue;
      const plan = known.state.plan(changes);
      const buckets = known.state.sealed(head.generation, known.head.buckets, plan);
      if (head.sequence !== known.head.sequence + 1 || !holdsAll(buckets, head.buckets)) {
        if (head.sequence === known.head.sequence + 1)
          this.#tell('the log of revocations does not follow from what it began with');
        this.#readAgain();
        return;
      }
      this.#take(known.state, head, plan);
    }
  }

  /** Where the log has another history than is known here. */
  damaged(cause: unknown): void {
    if (!(cause instanceof DamagedDataset)) return;
    this.#tell(`the log of revocations is damaged: ${cause.message}`);
    this.#readAgain();
  }

  #readAgain(): void {
    this.#stale = true;
    this.#turn();
  }

  // A revocation must not end early because the time is corrected, before or after it was made: what is over is judged by the
  // earlier, what begins by the later of the wall clock as it is and as it has gone on since the start.
  #now(): number {
    const { clock } = this.#parts;
    return Math.min(clock.now(), this.#wallAtStart + clock.monotonic());
  }

  #latest(): number {
    const { clock } = this.#parts;
    return Math.max(clock.now(), this.#wallAtStart + clock.monotonic());
  }

  #hasRoom(): boolean {
    const live = this.#known?.state.live(hoursOf(this.#now())) ?? 0;
    return live + this.#unwritten.size < this.#parts.maxEntries;
  }

  #write(change: Change): Promise<void> {
    if (this.#closed) return Promise.reject(new CaracalError('revocation_unavailable', 'closed'));
    const written = this.#pending.add(change, TURNS * this.#parts.timeoutMs);
    this.#turn();
    return written;
  }

  #turn(): void {
    if (this.#closed) return;
    if (this.#turning) {
      this.#turnAgain = true;
      return;
    }
    this.#turning = true;
    clearTimeout(this.#timer);
    void this.#turns().then((succeeded) => {
      this.#turning = false;
      const { heartbeatMs } = this.#parts;
      const pauseMs = succeeded ? heartbeatMs : Math.min(heartbeatMs, RETRY_MS);
      if (!this.#closed) this.#timer = setTimeout(() => this.#turn(), pauseMs);
    });
  }

  /** Never rejects. Answers whether Redis was there. */
  async #turns(): Promise<boolean> {
    try {
      do {
        this.#turnAgain = false;
        if (this.#stale || this.#known === undefined) await this.#load();
        const toDo = this.#pending.size > 0 || this.#loss !== undefined || this.#drops().length > 0;
        if (toDo) await this.#commit();
        // Only beats prove anything, so there is one whatever there is to do.
        if (!toDo || this.#parts.clock.monotonic() - this.#lastBeat >= this.#parts.heartbeatMs) await this.#beat();
        this.#silentBeats = 0;
      } while (!this.#closed && (this.#turnAgain || this.#loss !== undefined));
      return true;
    } catch (cause) {
      this.#failed(cause);
      return false;
    }
  }

  #failed(cause: unknown): void {
    if (this.#closed) return;
    const silent = cause instanceof CaracalError && cause.reason === 'timeout';
    this.#silentBeats = silent ? this.#silentBeats + 1 : 0;
    // A connection that was cut without a word stays `ready` for many minutes.
    if (this.#silentBeats >= SILENT_BEATS && this.#parts.client.status === 'ready') {
      this.#silentBeats = 0;
      this.#parts.client.disconnect(true);
    }
    this.#tell(`the state of revocations cannot be proved complete: ${whyOf(cause)}`, cause);
    this.#pending.refuse(new CaracalError('revocation_unavailable', 'not_durable', { cause }));
  }

  #tell(message: string, cause?: unknown): void {
    if (message === this.#trouble) return;
    this.#trouble = message;
    this.#parts.onWarning(message, cause);
  }

  async #load(): Promise<void> {
    const loaded = await this.#read();
    const before = this.#known?.state.index;
    const revoked: Anchor[] = [];
    if (before !== undefined) {
      await inSlices(loaded.state.index.entries(), ([anchor]) => {
        if (!this.isRevoked([anchor])) revoked.push(anchor);
      });
      this.#loss = (await this.#loss?.with(before)) ?? new MemoryOfLoss(before);
    }
    if (this.#known !== undefined && isLoss(this.#known.head, loaded.head)) this.#freshness.unsettle();
    this.#known = loaded;
    this.#stale = false;
    this.#announce(revoked);
  }

  async #read(): Promise<Loaded> {
    const { dataset, seals, maxEntries } = this.#parts;
    try {
      return (await loadDataset(dataset, seals, 2 * maxEntries)) ?? (await this.#begin(''));
    } catch (cause) {
      // Who never was fresh may have the wrong key, and must not replace what others can prove.
      if (!(cause instanceof DamagedDataset && this.#freshness.remembers)) throw cause;
      const { headText } = await dataset.beat();
      return await this.#begin(headText ?? '');
    }
  }

  /** Begins a dataset in place of what is there, which is nothing or damaged. */
  async #begin(replacedText: string): Promise<Loaded> {
    const { dataset, seals, beginsDataset, settleMs, clock } = this.#parts;
    if (!beginsDataset && !this.#freshness.remembers)
      throw new Error('there is no dataset, and beginsDataset is false');
    if (this.#freshness.remembers) {
      const what = replacedText === '' ? 'gone' : 'damaged';
      this.#tell(`the dataset of revocations is ${what}; it begins anew with what this process knows`);
    }
    const head = sealedHead(seals, {
      generation: randomUUID(),
      sequence: 0,
      settlesAt: Math.ceil(clock.now() + settleMs),
      buckets: new Map(),
    });
    if (await dataset.begin(replacedText, head, this.#known?.head)) return { head, state: new RevocationState(seals) };
    const other = await loadDataset(dataset, seals, 2 * this.#parts.maxEntries);
    if (other === undefined) throw new Error('the dataset of revocations came and went');
    return other;
  }

  async #commit(): Promise<void> {
    const { dataset, seals, settleMs, clock } = this.#parts;
    const { head, state } = this.#known!;
    const pending = this.#pending.first(MAX_CHANGES);
    const lost = this.#loss?.lacking(state, hoursOf(this.#now()), MAX_CHANGES);
    if (lost === undefined) this.#loss = undefined;
    // What was lost comes first: a lift that waits is meant for it too.
    const plan = state.plan([...(lost ?? []), ...pending.map(({ change }) => change)]);
    const drops = this.#drops();
    if (plan.steps.length === 0 && drops.length === 0) {
      if ((await this.#beat()) && this.#known?.head === head) this.#done(pending);
      else this.#turnAgain = true;
      return;
    }
    const buckets = state.sealed(head.generation, head.buckets, plan);
    for (const end of drops) if (!plan.touched.has(end)) buckets.delete(end);
    const { generation } = head;
    const settlesAt = lost?.length ? Math.ceil(clock.now() + settleMs) : head.settlesAt;
    const next = sealedHead(seals, { generation, sequence: head.sequence + 1, settlesAt, buckets });
    if (!(await dataset.commit(head, next, plan.steps))) {
      await this.#beat(); // somebody else was first: read what they did
      this.#turnAgain = true;
      return;
    }
    // The log may have brought it before the answer came.
    if (this.#known?.head === head) this.#take(state, next, plan);
    this.#done(pending);
    if (this.#pending.size > 0) this.#turnAgain = true;
  }

  #done(pending: readonly Pending[]): void {
    for (const each of pending) {
      const { op, anchor } = each.change;
      this.#unwritten.delete(anchor);
      if (op === 'lift') this.#loss?.forget(anchor);
      this.#pending.done(each);
    }
  }

  /** Reads the head from the primary and what led to it. Answers whether everything until then is known here. */
  async #beat(): Promise<boolean> {
    const { dataset, clock } = this.#parts;
    const before = this.#known!.head;
    const startedAt = clock.monotonic();
    const { serverSeconds, history, headText } = await dataset.beat();
    this.#lastBeat = startedAt;
    this.#serverHours = serverSeconds / 3600;
    if (this.#history !== undefined && history !== this.#history) this.#freshness.unsettle();
    this.#history = history;
    if (headText !== before.text) {
      const head = this.#parsed(headText);
      if (head?.generation !== before.generation || head.sequence <= before.sequence) {
        if (head !== undefined) this.#tell('the dataset of revocations is another, or an older one');
        this.#readAgain();
        return false;
      }
      if (!(await this.#catchUp(head))) return false;
    }
    return this.#prove(startedAt);
  }

  #parsed(headText: string | undefined): Head | undefined {
    if (headText === undefined) return undefined;
    try {
      return parseHead(this.#parts.seals, headText);
    } catch (cause) {
      this.#readAgain();
      throw cause;
    }
  }

  async #catchUp(head: Head): Promise<boolean> {
    for (;;) {
      const known = this.#known!.head;
      if (this.#stale || known.generation !== head.generation) return false;
      if (known.sequence >= head.sequence) break;
      const commits = await this.#parts.dataset.commitsAfter(known.generation, known.sequence);
      this.follow(commits);
      // The log does not reach back so far, or has a gap.
      if (this.#known!.head === known) {
        this.#readAgain();
        return false;
      }
    }
    const known = this.#known!.head;
    if (known.sequence > head.sequence || known.text === head.text) return true;
    this.#readAgain();
    return false;
  }

  /** Answers whether everything is known here that was in the dataset then; it is not fresh while some of it is to be written back. */
  #prove(startedAt: number): boolean {
    if (this.#stale) return false;
    if (this.#loss === undefined && this.#freshness.prove(startedAt, this.#known!.head)) this.#trouble = undefined;
    return true;
  }

  /** Ends of buckets that are over by our clock and by the server's. */
  #drops(): readonly number[] {
    const now = Math.min(hoursOf(this.#now()), this.#serverHours) - 1;
    return [...(this.#known?.head.buckets.keys() ?? [])].filter((end) => end <= now);
  }

  #take(state: RevocationState, head: Head, plan: Plan): void {
    const revoked = plan.steps
      .filter(({ change }) => change.op === 'revoke' && !this.isRevoked([change.anchor]))
      .map(({ change }) => change.anchor);
    state.adopt(plan);
    this.#known = { state, head };
    if (state.forgetBucketsBut(head.buckets)) void this.#clean(state);
    this.#announce(revoked);
  }

  #announce(revoked: readonly Anchor[]): void {
    let told: Promise<void> | undefined;
    for (const anchor of revoked) told = this.#listeners.tell(anchor); // each the same, of one batch
    told?.catch((cause: unknown) => this.#parts.onWarning('a listener to revocations failed', cause));
  }

  async #clean(state: RevocationState): Promise<void> {
    if (this.#cleaning) return;
    this.#cleaning = true;
    await inSlices(state.cleaning(hoursOf(this.#now())), () => undefined);
    this.#cleaning = false;
  }
}

/** Whether what was there cannot have become what is there without a loss. */
function isLoss(before: Head, after: Head): boolean {
  return before.generation !== after.generation || before.sequence > after.sequence;
}

function whyOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'failed';
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}

/** Whether each bucket of the head is among those worked out here. */
function holdsAll(found: ReadonlyMap<number, SealedBucket>, wanted: ReadonlyMap<number, SealedBucket>): boolean {
  for (const [end, { count, seal }] of wanted) {
    const bucket = found.get(end);
    if (bucket?.count !== count || bucket.seal !== seal) return false;
  }
  return true;
}
