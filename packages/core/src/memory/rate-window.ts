/** Requests that were admitted at about one time. */
interface Admitted {
  /** Of the first, ms. */
  readonly firstMs: number;
  /** Of the last, ms: what they are counted by, so that none is forgotten too early. */
  lastMs: number;
  count: number;
}

/** Longest log of one window. */
const MAX_LOG_ENTRIES = 256;

/**
 * A sliding window as a log of admissions. Up to 256 requests a window each is logged by its own time, and the answer is exact.
 * Above that, those within 1/256 of the window share an entry that counts by its last one: memory stays bounded, no window ever
 * holds more than it may, and a place becomes free at most 1/256 of the window late.
 */
export class RateWindow {
  readonly #log: Admitted[] = [];
  #total = 0;
  #windowMs = 0;

  /**
   * Counts a request, if fewer than `requests` were admitted in the `windowMs` before it. A refused one is not counted.
   *
   * @returns 0 where it is admitted, else ms (above 0) until the next can be.
   */
  admit(nowMs: number, requests: number, windowMs: number): number {
    this.#windowMs = windowMs;
    this.#forget(nowMs);
    if (this.#total >= requests) return this.#waitMs(nowMs, requests);
    const last = this.#log.at(-1);
    const grainMs = requests <= MAX_LOG_ENTRIES ? 0 : windowMs / MAX_LOG_ENTRIES;
    if (last !== undefined && nowMs - last.firstMs <= grainMs) {
      last.lastMs = nowMs;
      last.count++;
    } else {
      this.#log.push({ firstMs: nowMs, lastMs: nowMs, count: 1 });
    }
    this.#total++;
    return 0;
  }

  /** Whether nothing is counted any more. */
  isIdle(nowMs: number): boolean {
    this.#forget(nowMs);
    return this.#total === 0;
  }

  #forget(nowMs: number): void {
    let oldest = this.#log[0];
    while (oldest !== undefined && oldest.lastMs <= nowMs - this.#windowMs) {
      this.#total -= oldest.count;
      this.#log.shift();
      oldest = this.#log[0];
    }
  }

  // After a limit was lowered more than one entry may have to go.
  #waitMs(nowMs: number, requests: number): number {
    let left = this.#total;
    for (const { lastMs, count } of this.#log) {
      left -= count;
      // Rounding can make 0 of what `#forget` still counts, and 0 would mean that this one is admitted.
      if (left < requests) return Math.max(Number.MIN_VALUE, lastMs + this.#windowMs - nowMs);
    }
    return this.#windowMs;
  }
}
