import type { Anchor } from '../verify/anchor.js';

/** Is told of newly revoked anchors, in batches. */
export type RevocationListener = (revoked: readonly Anchor[]) => void;

/** Who wants to know of revocations. They are told in a microtask, of all that were revoked until then. */
export class RevocationListeners {
  /** Wrapped, so that one function subscribed twice is two subscriptions. */
  readonly #listeners = new Set<{ readonly tell: RevocationListener }>();
  #untold: Anchor[] = [];
  #telling: Promise<void> | undefined;

  /** Returns the function that ends it. */
  subscribe(tell: RevocationListener): () => void {
    const listener = { tell };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener); // the answer of delete() is nobody's business
  }

  /** Resolves when all have been told; rejects with an AggregateError where one of them threw. */
  tell(anchor: Anchor): Promise<void> {
    this.#untold.push(anchor);
    this.#telling ??= Promise.resolve().then(() => this.#tell());
    return this.#telling;
  }

  /** As `tell`, of what others are being told already; `undefined` where there is nothing. */
  get telling(): Promise<void> | undefined {
    return this.#telling;
  }

  #tell(): void {
    const revoked = Object.freeze(this.#untold);
    this.#untold = [];
    this.#telling = undefined;
    const failures: unknown[] = [];
    for (const { tell } of [...this.#listeners]) {
      try {
        tell(revoked);
      } catch (cause) {
        failures.push(cause);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'A listener to revocations failed');
  }
}
