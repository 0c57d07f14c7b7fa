import type { Anchor } from './anchor.js';

/** Port: what has been revoked? Reading is local and synchronous; state that cannot be proved complete is not fresh. */
export interface RevocationStore {
  /** Whether any of these anchors is revoked, by local state. Never waits. */
  isRevoked(anchors: readonly Anchor[]): boolean;
  /**
   * Monotonic time (ms, `performance.now()`) at the start of the last round trip that proved local state complete;
   * a store that is itself the truth answers the present.
   */
  freshAsOf(): number;
  /** Revokes. Resolves when every reader of this store will see it. Idempotent. */
  revoke(anchor: Anchor): Promise<void>;
  /** Takes a revocation back. Idempotent. */
  lift(anchor: Anchor): Promise<void>;
  /** Tells of newly revoked anchors, in batches. Returns the function that ends it. */
  subscribe(listener: (revoked: readonly Anchor[]) => void): () => void;
}
