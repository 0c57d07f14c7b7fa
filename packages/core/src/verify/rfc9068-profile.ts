import { Denial, deny } from '../errors.js';
import { optionalIdentifier } from './claim-values.js';
import type { ClaimRules, ProfileClaims } from './claims.js';
import { type JsonObject, own } from './json-object.js';
import { scopesOf } from './scope-claim.js';

/** Where an RFC 9068 issuer keeps what a mandate needs and the RFC does not define: names of claims. */
export interface ClaimNames {
  /** Claim that must hold the issuer's zone. Absent: its tokens say nothing of zones, and the issuer's zone is theirs. */
  readonly zone?: string;
  /** Claim with the session a token belongs to. Absent: its tokens belong to none. */
  readonly session?: string;
  /** Claim with the session that one began in. */
  readonly rootSession?: string;
  /** Claim with the scopes, text or array of texts. Default `scope`. */
  readonly scopes?: string;
}

/** Names an issuer may map, for validating {@link ClaimNames}. */
export const CLAIM_NAMES: readonly (keyof ClaimNames)[] = Object.freeze(['zone', 'session', 'rootSession', 'scopes']);

/**
 * The claims of profile `rfc9068`: an access token of any authorization server. It reaches one resource, its audience.
 *
 * @see RFC 9068 sections 2.2 and 4
 */
export function rfc9068Claims(claims: JsonObject, audience: string, rules: ClaimRules): ProfileClaims | Denial {
  const { zone, session, rootSession, scopes: scopeClaim = 'scope' } = rules.claims;
  if (zone !== undefined && own(claims, zone) !== rules.zoneId) return deny('invalid_token', 'zone_mismatch');
  const sessionId = session === undefined ? undefined : optionalIdentifier(claims, session, 'session');
  if (sessionId instanceof Denial) return sessionId;
  const rootSessionId = rootSession === undefined ? undefined : optionalIdentifier(claims, rootSession, 'root_session');
  if (rootSessionId instanceof Denial) return rootSessionId;
  const scopes = scopesOf(own(claims, scopeClaim), true);
  if (scopes instanceof Denial) return scopes;
  return {
    use: 'resource',
    targets: Object.freeze([audience]),
    subjectType: undefined,
    scopes,
    sessionId,
    rootSessionId,
    agentSessionId: undefined,
    delegation: undefined,
  };
}
