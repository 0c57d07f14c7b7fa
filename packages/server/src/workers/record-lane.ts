import { type AuditRecord, type AuditSink, CaracalError, type Durability } from '@caracal/core';
import { serializeRecord } from '@caracal/file';
import { AnswerReader, kindOf, MAX_RECORD_BYTES, type RecordAnswer, RecordFrames } from './record-frames.js';

/** The other end, which owns the journal. */
export interface LaneEnd {
  /** Sends. Answers whether the bytes are not needed any more. */
  send(bytes: Uint8Array): boolean;
}

interface Waiting {
  resolve(): void;
  reject(fault: CaracalError): void;
  readonly bytes: number;
}

/** Records that wait for an answer may take this much, bytes; more are refused at once, so that a stopped owner costs a bounded memory. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** What each takes beside its text, bytes. */
const WAITING_BYTES = 256;
/** How long records that nobody waits for stay here, ms; they go along with the first that somebody waits for. */
const BUFFERED_DELAY_MS = 10;

/**
 * The journal as a worker has it: records go to the process that owns it as bytes, those of one turn of the event loop
 * together, and a few bytes come back for all of them. Nothing here gives up: a record keeps its room until it is known what
 * became of it, and whoever waits for it has a deadline of its own.
 */
export class RecordLane implements AuditSink {
  readonly #end: LaneEnd;
  readonly #frames = new RecordFrames();
  readonly #waiting = new Map<number, Waiting>();
  readonly #answers = new AnswerReader((answer) => this.#answered(answer));
  #waitingBytes = 0;
  #next = 0;
  #bootId: string | undefined;
  #gatewayId: string | undefined;
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #settled: (() => void)[] = [];
  #closed = false;

  constructor(end: LaneEnd) {
    this.#end = end;
  }

  append(record: AuditRecord, durability: Durability): Promise<void> {
    if (this.#closed) return refused('closed');
    const members = serializeRecord(record);
    if (members.length > MAX_RECORD_BYTES) return refused('record_too_large');
    const bytes = members.length + WAITING_BYTES;
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return refused('too_many_waiting');
    this.#waitingBytes += bytes;
    const { type, requestId, bootId, gatewayId } = record;
    if (bootId !== this.#bootId || gatewayId !== this.#gatewayId) this.#tellGateway(bootId, gatewayId);
    this.#frames.add(kindOf(type, requestId), durability, requestId ?? '', members);
    this.#schedule(durability);
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.#next++, { resolve, reject, bytes });
    });
  }

  /** What came from the other end. */
  receive(chunk: Buffer): void {
    this.#answers.receive(chunk);
  }

  /** Resolves when every record so far is answered. */
  async settled(): Promise<void> {
    this.#flush();
    if (this.#waiting.size > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** The other end is gone: nothing will be answered any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.values()) reject(unavailable('closed'));
    this.#waiting.clear();
    this.#tellSettled();
  }

  // The end that a dead worker's requests get has these, and they are the same from one record to the next.
  #tellGateway(bootId: string, gatewayId: string): void {
    this.#bootId = bootId;
    this.#gatewayId = gatewayId;
    this.#frames.add('gateway', 'buffered', '', Buffer.from(JSON.stringify({ bootId, gatewayId })));
  }

  #schedule(durability: Durability): void {
    if (this.#scheduled) return;
    if (durability === 'buffered') {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#flush();
      }, BUFFERED_DELAY_MS);
      return;
    }
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#closed || this.#frames.length === 0) return;
    this.#frames.send((bytes) => this.#end.send(bytes));
  }

  #answered({ first, count, reason }: RecordAnswer): void {
    for (let number = first; number < first + count; number++) {
      const waiting = this.#waiting.get(number);
      if (waiting === undefined) continue;
      this.#waiting.delete(number);
      this.#waitingBytes -= waiting.bytes;
      if (reason === '') waiting.resolve();
      else waiting.reject(unavailable(reason));
    }
    if (this.#waiting.size === 0) this.#tellSettled();
  }

  #tellSettled(): void {
    for (const settled of this.#settled.splice(0)) settled();
  }
}

function unavailable(reason: string): CaracalError {
  return new CaracalError('audit_unavailable', reason);
}

function refused(reason: string): Promise<never> {
  return Promise.reject(unavailable(reason));
}
