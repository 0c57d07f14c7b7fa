import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Clock } from '@caracal/core';

/** Evidence that is no older than this rests as long as the share says, */
const FRESH_MS = 10_000;
/** evidence that is so old does not rest at all, and in between it does ever less. */
const LATE_MS = 60_000;
/** The share is whole while the event loop is idle for so much of the time, */
const IDLE = 0.3;
/** and so much is left of it where the loop is never idle: every microsecond is then a request's. */
const LEAST = 0.1;
/** However long a batch took: it may have waited for PostgreSQL to come back. */
const MAX_REST_MS = 4000;

/** What a rest depends on. */
export interface Pace {
  /** Storing the batch before it. */
  readonly tookMs: number;
  /** From 1 to 100. */
  readonly sharePercent: number;
  /** Of the event loop, from 0 to 1. */
  readonly utilization: number;
  /** How long ago the last entry that was stored was made. */
  readonly ageMs: number;
}

/**
 * How long to rest behind a batch, ms, so that storing takes no more than its share of the time: what waits is safe in the
 * journal, and requests that are answered meanwhile come first. Evidence that is late comes before both.
 */
export function restMs({ tookMs, sharePercent, utilization, ageMs }: Pace): number {
  const left = between(LEAST, (1 - utilization) / IDLE, 1);
  const patience = between(0, (LATE_MS - ageMs) / (LATE_MS - FRESH_MS), 1);
  return Math.min(MAX_REST_MS, tookMs * (100 / (sharePercent * left) - 1)) * patience;
}

/** Measures what {@link restMs} asks for. */
export class ShippingPace {
  readonly #sharePercent: number;
  readonly #clock: Clock;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(sharePercent: number, clock: Clock) {
    this.#sharePercent = sharePercent;
    this.#clock = clock;
  }

  /** The rest behind a batch, ms. `through`: when its last entry was made, ISO 8601. */
  restMs(tookMs: number, through: string | undefined): number {
    if (this.#sharePercent === 100) return 0;
    const before = this.#loop;
    this.#loop = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(this.#loop, before);
    const ageMs = through === undefined ? 0 : this.#clock.now() - Date.parse(through);
    return restMs({ tookMs, sharePercent: this.#sharePercent, utilization, ageMs });
  }
}

function between(least: number, value: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
