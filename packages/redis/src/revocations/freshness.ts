import { CaracalError, type Clock } from '@caracal/core';
import type { Head } from './head.js';

/** How fresh local state is, and whether this process remembers a time when it was complete. */
export class Freshness {
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #waiting = new Set<() => void>();
  #asOf = Number.NEGATIVE_INFINITY;
  #remembers = false;
  /** Monotonic, ms. */
  #settlesAt = Number.NEGATIVE_INFINITY;
  /** What the dataset says of its settling, and since when (monotonic, ms) it says so. */
  #settling = { at: Number.NaN, since: 0 };

  constructor(clock: Clock, settleMs: number) {
    this.#clock = clock;
    this.#settleMs = settleMs;
  }

  /** Monotonic, ms. */
  get asOf(): number {
    return this.#asOf;
  }

  /** The state was complete once, so that what a dataset lacks is known here. */
  get remembers(): boolean {
    return this.#remembers;
  }

  /**
   * The dataset may have lost what only another process knows: it is not fresh until that one had the time to write it back.
   * Does nothing to a proof from before.
   */
  unsettle(): void {
    this.#settlesAt = this.#clock.monotonic() + this.#settleMs;
  }

  /** Local state was `head` at some time after `startedAt` (monotonic, ms). Answers whether that makes it fresh. */
  prove(startedAt: number, head: Head): boolean {
    if (this.#clock.monotonic() < this.#settlesAt || !this.#hasSettled(head)) return false;
    this.#asOf = Math.max(this.#asOf, startedAt);
    this.#remembers = true;
    this.close();
    return true;
  }

  /** @throws CaracalError `revocation_unavailable`, reason `not_ready`, after `timeoutMs`, or when it is closed before */
  async ready(timeoutMs: number): Promise<void> {
    if (Number.isFinite(this.#asOf)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
    if (!Number.isFinite(this.#asOf)) throw new CaracalError('revocation_unavailable', 'not_ready');
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const done of this.#waiting) done();
  }

  // Whoever was there before brings back itself what the dataset lacks. Whoever was not waits for those who were.
  #hasSettled({ settlesAt }: Head): boolean {
    if (this.#remembers) return true;
    if (this.#settling.at !== settlesAt) this.#settling = { at: settlesAt, since: this.#clock.monotonic() };
    // Seen for so long, it has settled whatever the other's clock says.
    return this.#clock.now() >= settlesAt || this.#clock.monotonic() - this.#settling.since >= this.#settleMs;
  }
}
