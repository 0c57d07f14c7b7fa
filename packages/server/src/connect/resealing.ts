import { setTimeout as pause } from 'node:timers/promises';
import type { ListedConnections } from '@caracal/core';
import { type AuthorizationCodeProvider, type Resealed, resealConnections } from '@caracal/oauth';
import { causeName } from '../log/fault-log.js';
import type { Log } from '../log/log.js';

/** What a generation has to be seen to. */
export interface ResealingTask {
  /** Ids of the sealing keys; the first seals. */
  readonly keyIds: readonly string[];
  readonly connectable: readonly AuthorizationCodeProvider[];
}

/** First wait before what could not be sealed is tried again, ms; it doubles each time. */
const FIRST_RETRY_MS = 5_000;
/** Longest wait, ms. */
const LONGEST_RETRY_MS = 10 * 60_000;

/**
 * Seals connections with the first key of the ring behind the back of a running server, one after another, so that an old key can be
 * taken out. Where the ring has one key there is nothing to do: nothing else opens.
 */
export class Resealing {
  readonly #connections: ListedConnections;
  readonly #log: Log;
  readonly #firstRetryMs: number;
  readonly #closing = new AbortController();
  #run = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #begun = '';

  constructor(connections: ListedConnections, log: Log, firstRetryMs: number = FIRST_RETRY_MS) {
    this.#connections = connections;
    this.#log = log;
    this.#firstRetryMs = firstRetryMs;
  }

  /** Begins with this task, unless it is the one of before; that one ends. */
  begin(task: ResealingTask): void {
    const { keyIds, connectable } = task;
    const name = JSON.stringify([keyIds, connectable.map(({ id }) => id)]);
    if (name === this.#begun || this.#closing.signal.aborted) return;
    this.#begun = name;
    this.#run.abort();
    this.#run = new AbortController();
    if (keyIds.length < 2 || connectable.length === 0) return;
    const signal = AbortSignal.any([this.#closing.signal, this.#run.signal]);
    this.#running = this.#running.then(() => this.#seal(task, signal));
  }

  /** Ends it between two connections. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #seal({ keyIds: [key], connectable }: ResealingTask, signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#firstRetryMs; !signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      this.#log({ level: 'info', event: 'resealing_began', key });
      const count = await this.#pass(connectable, signal);
      if (signal.aborted) return;
      if (count !== undefined) {
        const { resealed, current, unreadable, busy, failed, others } = count;
        const isDone = busy + failed === 0;
        const level = isDone && unreadable === 0 ? 'info' : 'warn';
        this.#log({ level, event: 'resealing_ended', key, resealed, current, unreadable, busy, failed, others });
        if (isDone) return;
      }
      await pause(waitMs, undefined, { signal, ref: false }).catch(() => {}); // aborted: the loop ends
    }
  }

  async #pass(connectable: readonly AuthorizationCodeProvider[], signal: AbortSignal): Promise<Resealed | undefined> {
    try {
      return await resealConnections(this.#connections, connectable, { signal });
    } catch (cause) {
      this.#log({ level: 'warn', event: 'resealing_failed', cause: causeName(cause) });
      return undefined;
    }
  }
}
