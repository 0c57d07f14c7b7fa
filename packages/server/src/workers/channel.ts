import { CaracalError, type ErrorCode } from '@caracal/core';

/** The other end: a child process, or the process that started this one. */
export interface ChannelEnd {
  send(message: unknown): void;
}

/** Answers what the other end asks. */
export type Answers = Readonly<Record<string, (...asked: never[]) => unknown>>;

type Message =
  | { readonly ask: number; readonly name: string; readonly body: readonly unknown[] }
  | { readonly to: number; readonly value?: unknown; readonly fault?: Fault };

interface Fault {
  readonly code: ErrorCode | undefined;
  readonly reason: string;
}

interface Pending {
  resolve(value: unknown): void;
  reject(cause: unknown): void;
  readonly code: ErrorCode;
}

/** How a question is asked. */
export interface AskOptions {
  /** What a question that got no answer counts as. */
  readonly code: ErrorCode;
  /** Default: as long as the channel lives. */
  readonly timeoutMs?: number;
}

/** Questions that wait for an answer at most; what comes then is refused at once, so that a stopped process costs a bounded memory. */
const MAX_PENDING = 32_768;

/**
 * Questions and answers between two processes of one server, in order. What is said within one turn of the event loop goes
 * in one message: a busy process pays for few.
 */
export class Channel {
  readonly #end: ChannelEnd;
  readonly #answers: Answers;
  readonly #pending = new Map<number, Pending>();
  #queue: Message[] = [];
  #asked = 0;
  #closed = false;

  constructor(end: ChannelEnd, answers: Answers) {
    this.#end = end;
    this.#answers = answers;
  }

  /** Asks. Rejects with the code that is given where there is no answer in time, or none at all. */
  ask<T>(options: AskOptions, name: string, ...body: readonly unknown[]): Promise<T> {
    const { code, timeoutMs } = options;
    if (this.#closed || this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new CaracalError(code, this.#closed ? 'closed' : 'too_many_waiting'));
    }
    const ask = ++this.#asked;
    return new Promise<T>((resolve, reject) => {
      // A late answer still frees its place; before it, the question counts as waiting.
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => reject(new CaracalError(code, 'timeout')), timeoutMs).unref();
      this.#pending.set(ask, {
        code,
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as T);
        },
        reject: (cause) => {
          clearTimeout(timer);
          reject(cause);
        },
      });
      this.#post({ ask, name, body });
    });
  }

  /** What came from the other end. */
  receive(messages: unknown): void {
    if (!Array.isArray(messages)) return; // not of this channel
    for (const message of messages as Message[]) {
      if ('to' in message) this.#answered(message);
      else this.#answer(message);
    }
  }

  /** The other end is gone: nothing will be answered any more. */
  close(): void {
    this.#closed = true;
    for (const { reject, code } of this.#pending.values()) reject(new CaracalError(code, 'closed'));
    this.#pending.clear();
  }

  #answered({ to, value, fault }: Extract<Message, { to: number }>): void {
    const pending = this.#pending.get(to);
    if (pending === undefined) return;
    this.#pending.delete(to);
    if (fault === undefined) pending.resolve(value);
    else pending.reject(new CaracalError(fault.code ?? pending.code, fault.reason));
  }

  #answer({ ask, name, body }: Extract<Message, { ask: number }>): void {
    const failed = (cause: unknown): void => {
      // The reason is fixed text of ours; another's message may hold anything.
      const known = cause instanceof CaracalError;
      this.#post({ to: ask, fault: { code: known ? cause.code : undefined, reason: known ? cause.reason : 'failed' } });
    };
    try {
      const answer = this.#answers[name]!(...(body as never[]));
      if (answer instanceof Promise) answer.then((value) => this.#post({ to: ask, value }), failed);
      else this.#post({ to: ask, value: answer });
    } catch (cause) {
      failed(cause);
    }
  }

  #post(message: Message): void {
    if (this.#closed) return;
    if (this.#queue.length === 0) setImmediate(() => this.#flush());
    this.#queue.push(message);
  }

  #flush(): void {
    const messages = this.#queue;
    this.#queue = [];
    if (!this.#closed) this.#end.send(messages);
  }
}
