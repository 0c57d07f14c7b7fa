import { type Anchor, RevocationIndex, RevocationListeners, type RevocationStore } from '@caracal/core';
import type { Channel } from './channel.js';
import type { RevocationNews, ToldRevocation } from './shared-revocations.js';
import type { ToldKeys } from './worker-issuer.js';

/** How often a worker asks whether it has everything, ms; four times within `maxStalenessMs` at least. */
const ASK_INTERVAL_MS = 1_000;

/** What the primary answers a worker that asks whether it has everything. */
export interface FreshAnswer {
  /** Of the last change. */
  readonly number: number;
  /** How old the primary's own proof is, ms. */
  readonly ageMs: number;
  /** Public keys of the token service. */
  readonly keys?: ToldKeys | undefined;
}

/**
 * A worker's copy of what is revoked. It counts as fresh as of the moment it asked the question whose answer proved that it
 * had every change: a primary that is stopped, or a channel that hangs, makes it stale.
 */
export class WorkerRevocations implements RevocationStore {
  readonly #index = new RevocationIndex();
  readonly #listeners = new RevocationListeners();
  readonly #channel: Channel;
  #number = 0;
  #freshAsOf = Number.NEGATIVE_INFINITY;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  isRevoked(anchors: readonly Anchor[]): boolean {
    return this.#index.size > 0 && this.#index.hasAny(anchors, performance.now());
  }

  freshAsOf(): number {
    return this.#freshAsOf;
  }

  revoke(anchor: Anchor): Promise<void> {
    return this.#channel.ask({ code: 'revocation_unavailable' }, 'revoke', anchor);
  }

  lift(anchor: Anchor): Promise<void> {
    return this.#channel.ask({ code: 'revocation_unavailable' }, 'lift', anchor);
  }

  subscribe(listener: (revoked: readonly Anchor[]) => void): () => void {
    return this.#listeners.subscribe(listener);
  }

  /** Part of the state at the beginning; changes that came meanwhile are newer and are told later. */
  load(part: readonly ToldRevocation[]): void {
    for (const revocation of part) this.#set(revocation);
  }

  /** The number the state at the beginning has. */
  begin(number: number): void {
    this.#number = number;
  }

  /** Takes a change in. Resolves when streams have been told of it. @throws Error for a gap, after which nothing here can be trusted */
  async take({ number, revoked, lifted }: RevocationNews): Promise<void> {
    if (number !== this.#number + 1) throw new Error('a change of the revocations is missing');
    this.#number = number;
    if (lifted !== undefined) this.#index.delete(lifted);
    if (revoked === undefined) return;
    this.#set(revoked);
    await this.#listeners.tell(revoked.anchor);
  }

  /** One question; `more` goes with it. Rejects where there is no answer in time. */
  async prove(timeoutMs: number, ...more: readonly unknown[]): Promise<FreshAnswer> {
    const asked = performance.now();
    const options = { code: 'revocation_unavailable', timeoutMs } as const;
    const answer = await this.#channel.ask<FreshAnswer>(options, 'fresh', ...more);
    const { number, ageMs } = answer;
    // Everything up to that number was said before the answer was.
    if (number <= this.#number) this.#freshAsOf = Math.max(this.#freshAsOf, asked - ageMs);
    return answer;
  }

  #set({ anchor, leftMs }: ToldRevocation): void {
    const now = performance.now();
    if (this.#index.size % 65_536 === 65_535) this.#index.deleteUntil(now);
    this.#index.set(anchor, leftMs === null ? Number.POSITIVE_INFINITY : now + leftMs);
  }
}

/** How long to wait between two proofs, ms. */
export function proofIntervalMs(maxStalenessMs: number): number {
  return Math.max(10, Math.min(ASK_INTERVAL_MS, maxStalenessMs / 4));
}
