import type { EndReason, Later } from './exchange.js';

/** A member of the list. */
export interface LiveExchange {
  /** Its place in the list; kept by the list. */
  position: number;
  readonly tickMs: number;
  tick(now: number): void;
  end(reason: EndReason, later: Later): void;
}

const LONGEST_TICK_MS = 1000;
const SHORTEST_TICK_MS = 10;

/**
 * Every exchange under way: one list, scanned once a batch of revocations and once a tick. There is no timer per
 * exchange, and none at all while the list is empty.
 */
export class LiveExchanges {
  readonly #list: LiveExchange[] = [];
  readonly #monotonic: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #emptied: (() => void) | undefined;
  #stopped = false;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get size(): number {
    return this.#list.length;
  }

  add(exchange: LiveExchange): void {
    exchange.position = this.#list.length;
    this.#list.push(exchange);
    if (this.#timer === undefined) this.#schedule(LONGEST_TICK_MS);
  }

  /** Ticks come at least as often as this exchange wants them from now on. */
  hurry(exchange: LiveExchange): void {
    if (exchange.tickMs < LONGEST_TICK_MS && this.#monotonic() + exchange.tickMs < this.#dueAt) {
      this.#schedule(exchange.tickMs);
    }
  }

  remove(exchange: LiveExchange): void {
    const { position } = exchange;
    if (position < 0 || this.#list[position] !== exchange) return;
    const last = this.#list.pop()!;
    if (last !== exchange) {
      this.#list[position] = last;
      last.position = position;
    }
    exchange.position = -1;
    if (this.#list.length === 0) this.#emptied?.();
  }

  /**
   * Ends every exchange that `matches`, in one turn: first every caller is cut off, then follows what none of them waits for.
   * @throws AggregateError where some could not be told; all others have been
   */
  end(reason: EndReason, matches: (exchange: LiveExchange) => boolean): void {
    const failures: unknown[] = [];
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (cause) {
        failures.push(cause);
      }
    };
    const rests: (() => void)[] = [];
    const later: Later = (rest) => void rests.push(rest);
    for (const exchange of this.#list.filter(matches)) attempt(() => exchange.end(reason, later));
    for (const rest of rests) attempt(rest);
    if (failures.length > 0) throw new AggregateError(failures, 'An exchange could not be ended');
  }

  /** Resolves when the list is empty or the time is over. */
  empty(timeoutMs: number): Promise<void> {
    if (this.#list.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Leaves no timer behind, whatever is still in the list. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped = true;
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const delay = Math.max(SHORTEST_TICK_MS, delayMs);
    this.#dueAt = this.#monotonic() + delay;
    this.#timer = setTimeout(() => this.#tick(), delay);
  }

  #tick(): void {
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
    const now = this.#monotonic();
    let next = LONGEST_TICK_MS;
    // A tick may end exchanges, which takes them out of the list: walk a copy.
    for (const exchange of [...this.#list]) {
      exchange.tick(now);
      if (exchange.tickMs < next) next = exchange.tickMs;
    }
    if (this.#list.length > 0) this.#schedule(next);
  }
}
