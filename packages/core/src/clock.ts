/** Where time comes from; tests give their own. */
export interface Clock {
  /** Wall clock, ms since the epoch. */
  now(): number;
  /** Monotonic clock, ms since an arbitrary start. */
  monotonic(): number;
}

/** The runtime's own clocks. */
export const systemClock: Clock = Object.freeze({ now: () => Date.now(), monotonic: () => performance.now() });
