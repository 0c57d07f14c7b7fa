import { ask } from '../ask.js';
import type { Clock } from '../clock.js';
import { deny } from '../errors.js';
import { createIdentifiers } from '../identifiers.js';
import { type Awaitable, isPromise, type Step } from '../pipeline.js';
import type { AuditSink, Durability } from './audit-sink.js';
import type { Stamp } from './compose.js';
import type { AuditRecord, RecordType } from './record.js';
import { type RefusalCount, RefusalFlood } from './refusal-flood.js';
import { Room } from './room.js';

/** What evidence is written with. */
export interface EvidenceWriterOptions {
  readonly sink: AuditSink;
  /** Of every record that is not given one of its own. */
  readonly durability: Durability;
  /** Who writes, as records name it. */
  readonly gatewayId: string;
  readonly clock: Clock;
  /** Records that may be on their way to the sink at once. */
  readonly room: number;
  /** Told of a record the sink did not take, where nothing waited for it. Must not throw. */
  readonly onFault: (cause: unknown, record: AuditRecord) => void;
  /** The one record that stands for refusals that were only counted; its `count` is theirs. */
  readonly counted: (refusals: RefusalCount) => AuditRecord;
}

const FLUSH_MS = 1000;
/** After a record that the sink did not take: until it is asked whether it takes one now. */
const PROBE_MS = 100;
const NOTHING = (): void => {};

/**
 * Writes the evidence of one part of a process: room first, then records; nothing is dropped without being counted. A flood of
 * refusals becomes few records with exact counts; records that found no room or no sink are counted in the next that does. Until a
 * sink that did not take one has taken that count, there is no room for more: what leaves no evidence is not begun.
 */
export class EvidenceWriter {
  /** Makes an id, for a record or a request. */
  readonly newId = createIdentifiers();
  readonly bootId: string = this.newId();
  readonly #options: EvidenceWriterOptions;
  readonly #room: Room;
  readonly #flood = new RefusalFlood();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Records that found no room or no sink, not yet told in a record. */
  #omitted = 0;
  /** The sink did not take a record that nothing waited for, nor since then the count of what is missing. */
  #failing = false;
  #closed = false;
  #timeMs = Number.NaN;
  #timeText = '';

  constructor(options: EvidenceWriterOptions) {
    this.#options = options;
    this.#room = new Room(options.room);
  }

  /** What a record begins with. */
  stamp<Type extends RecordType>(type: Type): Stamp & { readonly type: Type } {
    return {
      id: this.newId(),
      type,
      time: this.#time(),
      bootId: this.bootId,
      gatewayId: this.#options.gatewayId,
    };
  }

  /** Takes room for so many records that are to come, or answers `false`. */
  reserve(count: number): boolean {
    return !this.#failing && this.#room.reserve(count);
  }

  /** Gives room back that {@link reserve} has taken. */
  release(count: number): void {
    this.#room.release(count);
  }

  /**
   * Writes a record that something waits for; a denial where there is no room (`no_room`) or the sink has not taken it in time.
   * Its room is taken until the sink is done with it, however long somebody waits for that: a sink that hangs is not fed on.
   */
  require(record: AuditRecord, timeoutMs: number): Step<void> {
    if (!this.#room.reserve(1)) return deny('audit_unavailable', 'no_room');
    return ask('audit_unavailable', timeoutMs, () => this.#required(record));
  }

  #required(record: AuditRecord): Awaitable<void> {
    const release = (): void => this.#room.release(1);
    try {
      const written = this.#options.sink.append(record, this.#options.durability);
      if (isPromise(written)) void written.then(release, release);
      else release();
      return written;
    } catch (cause) {
      release();
      throw cause;
    }
  }

  /** Writes a record of what has happened: nothing waits for it. `stands`: for how many refusals. */
  tell(record: AuditRecord, stands = 1): void {
    this.#tell(record, stands, () => this.#room.releaseRefusal());
  }

  #tell(record: AuditRecord, stands: number, taken: () => void): void {
    if (!this.#room.reserveRefusal()) return this.#omit(stands);
    this.#append(record, this.#options.durability, stands, taken, () => this.#room.releaseRefusal());
  }

  /** As {@link tell}, in room that was reserved; `release` gives it back. */
  write(record: AuditRecord, durability: Durability, release: () => void = NOTHING): void {
    this.#append(record, durability, 1, release, release);
  }

  #append(record: AuditRecord, durability: Durability, stands: number, taken: () => void, refused: () => void): void {
    const failed = (cause: unknown): void => {
      refused();
      if (!this.#failing) this.#unschedule(); // a flush that is due in a second is too late
      this.#failing = true;
      this.#omit(stands);
      this.#options.onFault(cause, record);
    };
    try {
      const written = this.#options.sink.append(record, durability);
      if (isPromise(written)) void written.then(taken, failed);
      else taken();
    } catch (cause) {
      failed(cause);
    }
  }

  /**
   * Whether a refusal of somebody unknown gets a record of its own; above a rate they are counted together, by `peer` and
   * `error`. Writes what the second before has counted. `now`: monotonic, ms.
   */
  admit(peer: string, error: string, now: number): boolean {
    this.flushDue(now);
    if (this.#flood.admit(peer, error, now)) return true;
    this.#flushLater();
    return false;
  }

  /** Writes what was counted, if its second is over. `now`: monotonic, ms. */
  flushDue(now: number): void {
    if (this.#flood.due(now)) this.flush();
  }

  /** Writes what is still only counted. */
  flush(): void {
    this.#unschedule();
    for (const refusals of this.#flood.take()) this.tell(this.#options.counted(refusals), refusals.count);
    if (this.#omitted === 0) return;
    const count = this.#omitted;
    this.#omitted = 0;
    this.#tell({ ...this.stamp('records.omitted'), reason: 'no_room', count }, count, () => {
      this.#room.releaseRefusal();
      // Something may have been refused while this was on its way.
      if (this.#omitted === 0) this.#failing = false;
    });
  }

  /** Writes what is still only counted and leaves no timer behind. What is counted later is told to nobody: close it last. */
  close(): void {
    this.flush();
    this.#closed = true;
    this.#unschedule();
  }

  #omit(count: number): void {
    this.#omitted += count;
    this.#flushLater();
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flushLater(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => this.flush(), this.#failing ? PROBE_MS : FLUSH_MS);
  }

  // Many records fall into one millisecond, and its text is dear.
  #time(): string {
    const now = this.#options.clock.now();
    if (now !== this.#timeMs) {
      this.#timeMs = now;
      this.#timeText = new Date(now).toISOString();
    }
    return this.#timeText;
  }
}
