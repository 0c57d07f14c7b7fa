import { CaracalError } from '@caracal/core';
import { type Change, fieldOf } from './change.js';

/** A change that waits to be written. */
export interface Pending {
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * Changes on their way to Redis, oldest first. Whoever asked is told at the latest when the time is over; a revocation goes on
 * waiting after that, one for each anchor, because it is in effect here already.
 */
export class PendingChanges {
  readonly #waiting = new Set<Pending>();
  /** Revocations nobody waits for any more, by anchor. */
  readonly #orphans = new Map<string, Pending>();

  get size(): number {
    return this.#waiting.size;
  }

  /** @returns what resolves when it is written; rejects with `CaracalError('revocation_unavailable', 'not_durable')` */
  add(change: Change, timeoutMs: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const late = (): void => this.#refuse(pending, new CaracalError('revocation_unavailable', 'not_durable'));
      const timer = setTimeout(late, timeoutMs);
      const pending: Pending = {
        change,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (cause) => {
          clearTimeout(timer);
          reject(cause);
        },
      };
      this.#waiting.add(pending);
    });
  }

  /** The oldest ones. */
  first(atMost: number): readonly Pending[] {
    const first: Pending[] = [];
    for (const pending of this.#waiting) {
      if (first.length === atMost) break;
      first.push(pending);
    }
    return first;
  }

  /** It is written. */
  done(pending: Pending): void {
    this.#waiting.delete(pending);
    const field = fieldOf(pending.change.anchor);
    if (this.#orphans.get(field) === pending) this.#orphans.delete(field);
    pending.resolve();
  }

  /** Redis failed: nobody waits any longer. */
  refuse(cause: CaracalError): void {
    for (const pending of [...this.#waiting]) this.#refuse(pending, cause);
  }

  /** As {@link refuse}, and nothing will be written. */
  clear(cause: CaracalError): void {
    this.refuse(cause);
    this.#waiting.clear();
    this.#orphans.clear();
  }

  // Lifts never were in effect, and must not come to be when nobody expects it.
  #refuse(pending: Pending, cause: CaracalError): void {
    pending.reject(cause);
    if (pending.change.op === 'lift') return void this.#waiting.delete(pending);
    const field = fieldOf(pending.change.anchor);
    const before = this.#orphans.get(field);
    if (before !== undefined && before !== pending) this.#waiting.delete(before);
    this.#orphans.set(field, pending);
  }
}
