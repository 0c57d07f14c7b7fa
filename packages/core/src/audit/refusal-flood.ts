/** Refusals of one kind from one peer that stand in one record. */
export interface RefusalCount {
  readonly peer: string;
  readonly error: string;
  readonly count: number;
}

/** Refusals a second of one peer and error that get a record each. */
export const REFUSALS_RECORDED_PER_SECOND = 100;
const MAX_PEERS = 4096;
/** Stands for every peer beyond the bound, so that a flood from many addresses cannot grow memory. */
const OTHER_PEERS = 'other';

/**
 * Counts refusals that come before anything is known of the caller. The first hundred a second of each (peer, error)
 * are recorded one by one; the rest become one record a second with an exact count.
 */
export class RefusalFlood {
  #second = Number.NEGATIVE_INFINITY;
  #peers = new Map<string, Map<string, number>>();

  /** `true`: record this one by itself. `now`: monotonic ms. Call `take` first when the second is over. */
  admit(peer: string, error: string, now: number): boolean {
    if (this.#peers.size === 0) this.#second = now;
    let errors = this.#peers.get(peer);
    if (errors === undefined) {
      const key = this.#peers.size < MAX_PEERS ? peer : OTHER_PEERS;
      errors = this.#peers.get(key);
      if (errors === undefined) {
        errors = new Map();
        this.#peers.set(key, errors);
      }
    }
    const count = (errors.get(error) ?? 0) + 1;
    errors.set(error, count);
    return count <= REFUSALS_RECORDED_PER_SECOND;
  }

  /** Whether the second that is being counted is over. `now`: monotonic ms. */
  due(now: number): boolean {
    return this.#peers.size > 0 && now - this.#second >= 1000;
  }

  /** What was counted and not recorded by itself, and forgets it. */
  take(): RefusalCount[] {
    const counts: RefusalCount[] = [];
    for (const [peer, errors] of this.#peers) {
      for (const [error, count] of errors) {
        if (count > REFUSALS_RECORDED_PER_SECOND) {
          counts.push({ peer, error, count: count - REFUSALS_RECORDED_PER_SECOND });
        }
      }
    }
    this.#peers = new Map();
    return counts;
  }
}
