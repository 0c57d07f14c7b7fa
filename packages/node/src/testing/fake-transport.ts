import type { Readable } from 'node:stream';
import type { Dispatched, Plan, Transport, TransportHandler } from '@caracal/core';

/** One attempt, for the test to play the upstream of. */
export interface FakeAttempt {
  readonly plan: Plan;
  readonly body: Readable | null;
  readonly handler: TransportHandler;
  aborted: boolean;
  resumed: number;
}

/** A transport whose upstream is the test. */
export class FakeTransport implements Transport<Readable> {
  readonly attempts: FakeAttempt[] = [];
  closed = 0;
  readonly #upstream: ((attempt: FakeAttempt) => void) | undefined;

  /** @param upstream plays the upstream of each attempt; without one the test does so from outside */
  constructor(upstream?: (attempt: FakeAttempt) => void) {
    this.#upstream = upstream;
  }

  dispatch(plan: Plan, body: Readable | null, handler: TransportHandler): Dispatched {
    const attempt: FakeAttempt = { plan, body, handler, aborted: false, resumed: 0 };
    this.attempts.push(attempt);
    queueMicrotask(() => {
      if (attempt.aborted) return;
      handler.onStart(false);
      handler.onSent();
      this.#upstream?.(attempt);
    });
    return {
      resume: () => {
        attempt.resumed += 1;
      },
      abort: () => {
        attempt.aborted = true;
      },
    };
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

/** An upstream that answers at once. */
export function answering(status: number, headers: string[], body = ''): (attempt: FakeAttempt) => void {
  return ({ handler }) => {
    handler.onHead(status, [...headers]);
    if (body !== '') handler.onChunk(Buffer.from(body, 'latin1'));
    handler.onEnd();
  };
}
