import type { RedisClient } from './client.js';

/** The part of a socket that is used here. */
interface Corked {
  cork(): void;
  uncork(): void;
}

/**
 * Has what a client sends in one turn of the event loop written at once: a write of its own for each command costs both sides
 * more than the command. A `Cluster` has no connection of its own, and writes as it does.
 */
export class GatheredWrites {
  readonly #client: RedisClient;
  #gathering = false;

  constructor(client: RedisClient) {
    this.#client = client;
  }

  /** To be called before a command is sent. */
  gather(): void {
    const stream = this.#client.stream as Partial<Corked> | null | undefined;
    if (this.#gathering || typeof stream?.cork !== 'function') return;
    this.#gathering = true;
    stream.cork();
    setImmediate(() => {
      this.#gathering = false;
      stream.uncork?.();
    });
  }
}
