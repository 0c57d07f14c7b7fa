import type { AuditSink } from '../audit/audit-sink.js';
import type { AuditRecord } from '../audit/record.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';

/** Options of {@link memoryAuditSink}. */
export interface MemoryAuditSinkOptions {
  /** Records kept; the oldest make room for new ones. Default 10,000. */
  readonly maxRecords?: number;
}

/** A sink that can be read. */
export interface MemoryAuditSink extends AuditSink {
  /** What is kept, oldest first; a copy of the list. */
  records(): readonly AuditRecord[];
  /** How many records were overwritten by newer ones. */
  overwritten(): number;
  /** Tells of every record from now on, in order, once it is kept. Returns the function that ends it. */
  subscribe(listener: (record: AuditRecord) => void): () => void;
}

/** Default of `maxRecords`. */
export const MEMORY_AUDIT_MAX_RECORDS = 10_000;

/**
 * The latest records, in this process's memory: for trying out and for tests. No record survives the process, whatever
 * durability was asked for, and the oldest are overwritten.
 *
 * @throws TypeError for options that are not in order.
 */
export function memoryAuditSink(options: MemoryAuditSinkOptions = {}): MemoryAuditSink {
  refuseUnknownOptions('memoryAuditSink', options, ['maxRecords']);
  const { maxRecords = MEMORY_AUDIT_MAX_RECORDS } = options;
  return new RingSink(wholeNumber('memoryAuditSink', 'maxRecords', maxRecords));
}

type Listener = (record: AuditRecord) => void;

class RingSink implements MemoryAuditSink {
  readonly #maxRecords: number;
  readonly #ring: AuditRecord[] = [];
  /** Wrapped, so that one function subscribed twice is two subscriptions. */
  readonly #listeners = new Set<{ readonly tell: Listener }>();
  #appended = 0;

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  append(record: AuditRecord): void {
    this.#ring[this.#appended % this.#maxRecords] = record;
    this.#appended++;
    if (this.#listeners.size > 0) this.#tell(record);
  }

  records(): readonly AuditRecord[] {
    const oldest = this.#appended > this.#maxRecords ? this.#appended % this.#maxRecords : 0;
    return [...this.#ring.slice(oldest), ...this.#ring.slice(0, oldest)];
  }

  overwritten(): number {
    return this.#appended - this.#ring.length;
  }

  subscribe(tell: Listener): () => void {
    const listener = { tell };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener); // the answer of delete() is nobody's business
  }

  #tell(record: AuditRecord): void {
    for (const { tell } of [...this.#listeners]) {
      try {
        tell(record);
      } catch {
        // The record is kept. Whoever looks on must not be able to have requests refused for want of evidence.
      }
    }
  }
}
