import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, Explanation, Gateway, Refusal, RequestHead } from '@caracal/core';
import type { RequestOrigin } from '@caracal/sts';
import type { Generation } from './generation.js';

/** How often generations that are no longer in force are asked whether they have come to their end, ms. */
const RETIRING_INTERVAL_MS = 250;

/** A generation and what is still to be decided by it. */
interface Running {
  readonly generation: Generation;
  /** Requests that wait for a decision or an answer of its own. */
  pending: number;
}

/**
 * The generation in force and those before it that still have requests under way. To the adapter it is one gateway that
 * never closes: a request is decided by the generation in force when it came, and finishes under it. Revocation cuts
 * exchanges of every generation, because all read one store.
 */
export class Generations implements Gateway {
  #current: Running;
  readonly #retiring = new Set<Running>();
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(first: Generation) {
    this.#current = { generation: first, pending: 0 };
    first.commit();
  }

  /** The one in force. */
  get current(): Generation {
    return this.#current.generation;
  }

  /** Generations that are kept for requests under way. */
  get retiring(): number {
    return this.#retiring.size;
  }

  get liveExchanges(): number {
    let live = this.#current.generation.gateway.liveExchanges;
    for (const { generation } of this.#retiring) live += generation.gateway.liveExchanges;
    return live;
  }

  /** Puts another generation into force. The one before decides no more, and ends with its last request. */
  replace(next: Generation): void {
    this.#current.generation.retire();
    this.#retiring.add(this.#current);
    this.#current = { generation: next, pending: 0 };
    next.commit();
    this.#retireLater();
  }

  admit(head: RequestHead): Refusal | Exchange | Promise<Refusal | Exchange> {
    const running = this.#current;
    const verdict = running.generation.gateway.admit(head);
    if (!('then' in verdict)) return verdict;
    // Until it is decided it stands in no list of its gateway.
    running.pending += 1;
    const decided = (): void => {
      running.pending -= 1;
    };
    void verdict.then(decided, decided);
    return verdict;
  }

  explain(head: RequestHead): Promise<Explanation> {
    return this.#counted((running) => running.generation.gateway.explain(head));
  }

  /** Answers a request to the token service, or to the connect pages on its listener. */
  answerToken(request: Request, origin: RequestOrigin): Promise<Response> {
    return this.#counted(
      async ({ generation: { connect, tokens } }) =>
        (await connect?.handler(request, origin)) ?? tokens!.handler(request, origin),
    );
  }

  /** Answers a request of `node:http` to the token service; answers `false`, and touches nothing, where it is to something else. */
  listenToken(incoming: IncomingMessage, outgoing: ServerResponse, origin: () => RequestOrigin): boolean {
    const { tokens } = this.#current.generation;
    if (tokens?.serves(incoming.url ?? '') !== true) return false;
    void this.#counted(() => tokens.listener(incoming, outgoing, origin())); // never rejects
    return true;
  }

  /** Ends every generation: waits for exchanges under way, and ends those that take longer. */
  close({ drainTimeoutMs }: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(drainTimeoutMs);
    return this.#closing;
  }

  async #close(drainTimeoutMs: number | undefined): Promise<void> {
    clearTimeout(this.#timer);
    const options = drainTimeoutMs === undefined ? {} : { drainTimeoutMs };
    await Promise.all([this.#current, ...this.#retiring].map(({ generation }) => generation.gateway.close(options)));
  }

  /** Closes what is left of every generation once nothing asks any more. */
  async release(): Promise<void> {
    for (const { generation } of [this.#current, ...this.#retiring]) await generation.close();
    this.#retiring.clear();
  }

  async #counted<T>(answer: (running: Running) => Promise<T>): Promise<T> {
    const running = this.#current;
    running.pending += 1;
    try {
      return await answer(running);
    } finally {
      running.pending -= 1;
    }
  }

  #retireLater(): void {
    if (this.#timer !== undefined || this.#closing !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#retire();
    }, RETIRING_INTERVAL_MS).unref();
  }

  async #retire(): Promise<void> {
    for (const running of this.#retiring) {
      if (this.#closing !== undefined) return;
      const { generation, pending } = running;
      if (pending > 0) continue;
      // Streams may keep a generation for hours; its token service must not rotate keys beside the one in force.
      await generation.tokens?.close();
      if (generation.gateway.liveExchanges > 0) continue;
      this.#retiring.delete(running);
      await generation.gateway.close();
      await generation.close();
    }
    if (this.#retiring.size > 0) this.#retireLater();
  }
}
