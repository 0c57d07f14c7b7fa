import type { Clock } from '../clock.js';

/** A clock whose two faces are set by hand. */
export class FixedClock implements Clock {
  wallMs = Date.UTC(2030, 0, 1);
  monotonicMs = 1_000;

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  /** Moves both forward. */
  advance(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }
}
