import { selectKeys } from '@caracal/core';
import { createLocalJWKSet } from 'jose/jwks/local';

/** What an application may sign assertions with. Symmetric algorithms and `none` do not exist here. */
export const ASSERTION_ALGORITHMS: readonly string[] = Object.freeze(['ES256', 'EdDSA', 'RS256', 'PS256']);

/** Finds the key of an application's assertion. */
export type AssertionKeys = ReturnType<typeof createLocalJWKSet>;

/**
 * An application's public keys. Every one has to be usable: in an operator's own list a key that is left out in silence is
 * an application that cannot be reached.
 *
 * @throws TypeError that says why one is not
 */
export function assertionKeys(where: string, publicKeys: readonly object[]): AssertionKeys {
  const { keys, dropped } = selectKeys({ keys: publicKeys }, new Set(ASSERTION_ALGORITHMS));
  if (dropped.length > 0 || keys.length === 0) {
    const reasons = [...new Set(dropped)].join(', ') || 'the list is empty';
    throw new TypeError(`${where}: give public JWKs, each with a kid of its own (${reasons})`);
  }
  return createLocalJWKSet({ keys: keys.map(({ kid, alg, jwk }) => ({ ...jwk, kid, alg })) });
}
