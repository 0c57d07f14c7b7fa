/** Refusals of one kind from one peer that stand in one record. */
export interface RefusalCount {
  readonly peer: string;
  readonly error: string;
  readonly count: number;
}

/** Refusals a second of one peer and error that get a record each. */
export const REFUSALS_RECORDED_PER_SECOND = 100;
/** Refusals a second, of all peers together, that get a record each: a flood from many addresses must not fill a disk. */
export const REFUSALS_RECORDED_PER_SECOND_IN_ALL = 1000;
const MAX_PEERS = 4096;
/** Stands for every peer beyond the bound, so that a flood from many addresses cannot grow memory. */
const OTHER_PEERS = 'other';

interface Tally {
  seen: number;
  /** Of these, not recorded by themselves. */
  uncovered: number;
}

/**
 * Counts refusals that come before anything is known of the caller. The first hundred a second of each (peer, error)
 * are recorded one by one, a thousand in all; the rest become one record a second with an exact count: of its peer
 * where that one sent too many, else of all others together.
 */
export class RefusalFlood {
  #second = Number.NEGATIVE_INFINITY;
  #peers = new Map<string, Map<string, Tally>>();
  #recorded = 0;

  /** `true`: record this one by itself. `now`: monotonic ms. Call `take` first when the second is over. */
  admit(peer: string, error: string, now: number): boolean {
    if (this.#peers.size === 0) this.#second = now;
    const tally = this.#tally(this.#peers.has(peer) || this.#peers.size < MAX_PEERS ? peer : OTHER_PEERS, error);
    tally.seen += 1;
    if (tally.seen > REFUSALS_RECORDED_PER_SECOND) {
      tally.uncovered += 1;
      return false;
    }
    if (this.#recorded >= REFUSALS_RECORDED_PER_SECOND_IN_ALL) {
      this.#tally(OTHER_PEERS, error).uncovered += 1;
      return false;
    }
    this.#recorded += 1;
    return true;
  }

  /** Whether the second that is being counted is over. `now`: monotonic ms. */
  due(now: number): boolean {
    return this.#peers.size > 0 && now - this.#second >= 1000;
  }

  /** What was counted and not recorded by itself, and forgets it. */
  take(): RefusalCount[] {
    const counts: RefusalCount[] = [];
    for (const [peer, errors] of this.#peers) {
      for (const [error, { uncovered }] of errors) {
        if (uncovered > 0) counts.push({ peer, error, count: uncovered });
      }
    }
    this.#recorded = 0;
    this.#peers = new Map();
    return counts;
  }

  #tally(peer: string, error: string): Tally {
    let errors = this.#peers.get(peer);
    if (errors === undefined) {
      errors = new Map();
      this.#peers.set(peer, errors);
    }
    let tally = errors.get(error);
    if (tally === undefined) {
      tally = { seen: 0, uncovered: 0 };
      errors.set(error, tally);
    }
    return tally;
  }
}
