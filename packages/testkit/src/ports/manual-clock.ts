import type { Clock } from '@caracal/core';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves wall and monotonic clock forward. */
  advance(ms: number): void;
  /** Sets the wall clock alone, as an operator or NTP does; ms since the epoch. */
  setWall(ms: number): void;
}

/** Makes a clock that shows `wallMs` and a monotonic time of its own. */
export function manualClock(wallMs = Date.UTC(2030, 0, 1)): ManualClock {
  let wall = wallMs;
  let monotonic = 1_000;
  return {
    now: () => wall,
    monotonic: () => monotonic,
    advance: (ms) => {
      wall += ms;
      monotonic += ms;
    },
    setWall: (ms) => {
      wall = ms;
    },
  };
}
