import { LRUCache } from 'lru-cache';
import { type Denial, deny } from '../errors.js';
import { peerNetwork } from './peer-network.js';

/** Most signatures being verified at once. */
export const MAX_CONCURRENT_VERIFICATIONS = 64;
/** Most failed verifications of one peer in a second; an IPv6 /64 is one peer. */
export const MAX_FAILURES_PER_SECOND = 200;
/** Most peers whose failures are counted; beyond it the one not heard of longest is forgotten. */
export const MAX_COUNTED_PEERS = 10_000;

const WINDOW_MS = 1000;

interface Failures {
  /** Monotonic start of the second, ms. */
  readonly since: number;
  count: number;
}

/**
 * What verifying may cost: without it one peer with forged mandates keeps the processor busy with signatures. Mandates
 * in the cache never come here.
 */
export class VerificationBudget {
  readonly #failures = new LRUCache<string, Failures>({ max: MAX_COUNTED_PEERS });
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Refuses a peer that has failed too often in this second. `nowMs` is monotonic. */
  refuse(peer: string, nowMs: number): Denial | undefined {
    const failures = this.#failures.get(peerNetwork(peer));
    if (failures === undefined || nowMs - failures.since >= WINDOW_MS) return undefined;
    return failures.count >= MAX_FAILURES_PER_SECOND ? deny('overloaded', 'peer_failures') : undefined;
  }

  /** Counts a failed verification. `nowMs` is monotonic. */
  failed(peer: string, nowMs: number): void {
    const network = peerNetwork(peer);
    const failures = this.#failures.get(network);
    if (failures === undefined || nowMs - failures.since >= WINDOW_MS) {
      this.#failures.set(network, { since: nowMs, count: 1 });
    } else {
      failures.count++;
    }
  }

  /**
   * Runs one verification once fewer than may be are under way, first come, first served. How many wait is bounded by
   * the verifier (`MAX_PENDING_MANDATES`).
   */
  async run<T>(verification: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_CONCURRENT_VERIFICATIONS) {
      // Whoever ends hands its place on, so that it is never free in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await verification();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
