import { CaracalError, type KeySource, type RevocationStore } from '@caracal/core';

/**
 * What can be broken, one at a time or several:
 *
 * - `issuer_down`: the keys of the issuers cannot be had (`issuer_unavailable`)
 * - `store_stale`: revocations cannot be proved complete (`revocation_unavailable`)
 * - `upstream_slow`: the upstream takes calls and answers none until mended (`upstream_timeout` after the resource's deadline)
 * - `upstream_dead`: nothing listens there (`upstream_unreachable`)
 * - `token_endpoint_down`: the token endpoint answers 503
 */
export type FaultName = 'issuer_down' | 'store_stale' | 'upstream_slow' | 'upstream_dead' | 'token_endpoint_down';

/** Keys that cannot be had while `isDown`; verdicts from before do not count then either. */
export function breakableKeys(keys: KeySource, isDown: () => boolean): KeySource {
  const unlessDown = () => {
    if (isDown()) throw new CaracalError('issuer_unavailable', 'test_fault');
  };
  return {
    current: () => {
      unlessDown();
      return keys.current();
    },
    refresh: (kid) => {
      unlessDown();
      return keys.refresh(kid);
    },
    version: () => (isDown() ? undefined : keys.version()),
  };
}

/** Revocations that are not proved complete while `isStale`. */
export function breakableRevocations(store: RevocationStore, isStale: () => boolean): RevocationStore {
  return {
    isRevoked: (anchors) => store.isRevoked(anchors),
    freshAsOf: () => (isStale() ? Number.NEGATIVE_INFINITY : store.freshAsOf()),
    revoke: (anchor) => store.revoke(anchor),
    lift: (anchor) => store.lift(anchor),
    subscribe: (listener) => store.subscribe(listener),
  };
}
