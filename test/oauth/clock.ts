import { type Clock, systemClock } from '@caracal/core';

/** The runtime's clocks, moved forward by a test. */
export interface AdjustableClock extends Clock {
  advance(ms: number): void;
}

/** Makes one. */
export function adjustableClock(): AdjustableClock {
  let ahead = 0;
  return {
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
    advance: (ms) => {
      ahead += ms;
    },
  };
}
