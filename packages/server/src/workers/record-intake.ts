import { type AuditRecord, CaracalError, createIdentifiers } from '@caracal/core';
import type { AppendWaiter, Journal } from '@caracal/file';
import { answerBytes, type OnRecord, type RecordAnswer, RecordReader } from './record-frames.js';

type GatewayOf = Pick<AuditRecord, 'bootId' | 'gatewayId'>;

/** What becomes of the records of a worker that ended. */
const WORKER_DIED = {
  type: 'request.completed',
  outcome: 'unknown',
  decision: 'allowed',
  reason: 'worker_died',
} as const;

/**
 * Takes the records of one worker into the journal and answers what became of them, for many at once. Remembers which requests
 * have a beginning and no end, so that each gets one when the worker dies.
 */
export class RecordIntake {
  readonly #journal: Journal;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #open = new Map<string, GatewayOf>();
  readonly #reader: RecordReader;
  readonly #newId = createIdentifiers();
  #gateway: GatewayOf | undefined;
  #next = 0;
  #answers: RecordAnswer[] = [];

  constructor(journal: Journal, send: (bytes: Uint8Array) => void) {
    this.#journal = journal;
    this.#send = send;
    this.#reader = new RecordReader(this.#taken);
  }

  /** What came from the worker. @throws Error for what no worker of ours sends */
  receive(chunk: Buffer): void {
    this.#reader.receive(chunk);
  }

  /** Nobody knows how they ended, nor whether they ran. Rejects where the journal does not take it. */
  async lost(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    const time = new Date().toISOString();
    const ends = open.map(([requestId, gateway]) =>
      this.#journal.append({ ...gateway, ...WORKER_DIED, requestId, id: this.#newId(), time }, 'written'),
    );
    await Promise.all(ends);
  }

  readonly #taken: OnRecord = (kind, durability, requestId, members) => {
    if (kind === 'gateway') {
      this.#gateway = JSON.parse(Buffer.from(members).toString());
      return;
    }
    if (kind === 'beginning') this.#open.set(requestId, this.#gateway!);
    else if (kind === 'end') this.#open.delete(requestId);
    this.#journal.appendSerialized(members, durability, new Taken(this.#next++, this.#answer));
  };

  // Records of one group are answered in one loop, mostly in order.
  readonly #answer = (number: number, reason: string): void => {
    const last = this.#answers.at(-1);
    if (last !== undefined && last.first + last.count === number && last.reason === reason) {
      last.count += 1;
      return;
    }
    if (last === undefined) queueMicrotask(() => this.#tell());
    this.#answers.push({ first: number, count: 1, reason });
  };

  #tell(): void {
    const answers = this.#answers;
    this.#answers = [];
    this.#send(answerBytes(answers));
  }
}

class Taken implements AppendWaiter {
  readonly #number: number;
  readonly #answer: (number: number, reason: string) => void;

  constructor(number: number, answer: (number: number, reason: string) => void) {
    this.#number = number;
    this.#answer = answer;
  }

  resolve(): void {
    this.#answer(this.#number, '');
  }

  reject(fault: unknown): void {
    // The reason is fixed text of ours; another's message may hold anything.
    this.#answer(this.#number, fault instanceof CaracalError && fault.reason !== undefined ? fault.reason : 'failed');
  }
}
