import { CaracalError } from '@caracal/core';
import type { RedisClient } from '../commands/client.js';
import { RedisCommands } from '../commands/commands.js';

/** What a confirmation is made with. */
export interface ReplicaOptions {
  /** A connection of its own: `WAIT` holds up everything else on it, and tells of what was written on it. */
  readonly client: RedisClient;
  /** How many have to confirm. */
  readonly count: number;
  /** A key to write to, in the slot of what is to be confirmed. */
  readonly key: string;
  readonly timeoutMs: number;
}

const MARK_LIFE_MS = 60_000;

/** Asks whether replicas have what the primary had when it was asked. */
export class Replicas {
  readonly #commands: RedisCommands;
  readonly #options: ReplicaOptions;
  #asking: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    const { client, timeoutMs } = options;
    // What the server waits, and as much again for the answer.
    this.#commands = new RedisCommands({ client, timeoutMs: 2 * timeoutMs, code: 'revocation_unavailable' });
  }

  /**
   * Resolves when enough replicas have everything that was written before.
   *
   * @throws CaracalError `revocation_unavailable`, reason `not_replicated`
   */
  confirm(): Promise<void> {
    // A question that is under way may be older than what was written; the next one is for all that wait for it.
    this.#next ??= this.#asking.then(() => {
      this.#next = undefined;
      const asked = this.#ask();
      this.#asking = asked.catch(() => {}); // told to whoever waits
      return asked;
    });
    return this.#next;
  }

  async #ask(): Promise<void> {
    const { count, key, timeoutMs } = this.#options;
    try {
      // Replicas take writes in order: who has this one has all before it.
      const [, confirmed] = await Promise.all([
        this.#commands.call('SET', key, '1', 'PX', MARK_LIFE_MS),
        this.#commands.call('WAIT', count, timeoutMs),
      ]);
      if (Number(confirmed) >= count) return;
    } catch (cause) {
      throw new CaracalError('revocation_unavailable', 'not_replicated', { cause });
    }
    throw new CaracalError('revocation_unavailable', 'not_replicated');
  }
}
