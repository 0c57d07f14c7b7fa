import type { Anchor, AnchorKind } from '../verify/anchor.js';
import { MAX_IDENTIFIER_LENGTH } from '../verify/claim-values.js';

/** How long the revocation of a session, delegation edge or mandate is kept, ms: the longest life of a mandate, and skew. */
export const SESSION_REVOCATION_MS = (24 * 60 * 60 + 60) * 1000;

/** How long a revocation of each kind counts, ms. */
const LIFE_OF_KIND: Readonly<Record<AnchorKind, number>> = Object.freeze({
  // Nothing below these is minted any more, so they end with the last mandate.
  sid: SESSION_REVOCATION_MS,
  root_sid: SESSION_REVOCATION_MS,
  agent_session_id: SESSION_REVOCATION_MS,
  delegation_edge_id: SESSION_REVOCATION_MS,
  jti: SESSION_REVOCATION_MS,
  // New mandates of these are made every day: until lifted.
  client_id: Number.POSITIVE_INFINITY,
  sub: Number.POSITIVE_INFINITY,
});

/** How long a revocation of this kind counts, ms; `Infinity`: until it is lifted. */
export function revocationLifeMs(kind: AnchorKind): number {
  return LIFE_OF_KIND[kind];
}

/**
 * A frozen copy of the anchor, so that nothing changes under a store.
 *
 * @throws TypeError for what is no anchor.
 */
export function checkedAnchor({ zoneId, issuer, kind, id }: Anchor): Anchor {
  if (!Object.hasOwn(LIFE_OF_KIND, kind)) {
    throw new TypeError(`An anchor's kind is one of ${Object.keys(LIFE_OF_KIND).join(', ')}`);
  }
  for (const part of [zoneId, issuer, id]) {
    if (typeof part !== 'string' || part === '' || part.length > MAX_IDENTIFIER_LENGTH) {
      throw new TypeError(`An anchor's zoneId, issuer and id are texts of 1 to ${MAX_IDENTIFIER_LENGTH} characters`);
    }
  }
  return Object.freeze({ zoneId, issuer, kind, id });
}
