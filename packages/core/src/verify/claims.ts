import { Denial, deny } from '../errors.js';
import { anchorsOf } from './anchors.js';
import { caracalClaims } from './caracal-profile.js';
import { isIdentifier, requiredIdentifier } from './claim-values.js';
import { type JsonObject, own } from './json-object.js';
import { lifetimeOf } from './lifetime.js';
import type { Mandate } from './mandate.js';
import { type ClaimNames, rfc9068Claims } from './rfc9068-profile.js';

/** Whose claims they are and how they are read. */
export interface ClaimRules {
  readonly issuer: string;
  /** The zone this issuer is trusted for. */
  readonly zoneId: string;
  readonly profile: 'caracal' | 'rfc9068';
  /** For profile `rfc9068`. */
  readonly claims: ClaimNames;
}

/** What a profile reads; the rest is alike in both. */
export type ProfileClaims = Pick<
  Mandate,
  'use' | 'targets' | 'subjectType' | 'scopes' | 'sessionId' | 'rootSessionId' | 'agentSessionId' | 'delegation'
>;

/**
 * Turns verified claims into a mandate at `nowMs`, or refuses them as `invalid_token` with the claim at fault as the
 * reason. Call it with a payload whose signature was verified with a key of `rules.issuer`, and with no other.
 *
 * @see RFC 7519 section 4.1, RFC 9068 section 2.2
 */
export function mandateOf(claims: JsonObject, rules: ClaimRules, nowMs: number): Mandate | Denial {
  if (own(claims, 'iss') !== rules.issuer) return deny('invalid_token', 'issuer_mismatch');
  const lifetime = lifetimeOf(claims, nowMs);
  if (lifetime instanceof Denial) return lifetime;
  // Bound to a key whose possession nobody has proved: as a bearer token it is a stolen one (RFC 9449 section 7.2).
  if (own(claims, 'cnf') !== undefined) return deny('invalid_token', 'proof_required');
  const subject = requiredIdentifier(claims, 'sub');
  if (subject instanceof Denial) return subject;
  const applicationId = requiredIdentifier(claims, 'client_id');
  if (applicationId instanceof Denial) return applicationId;
  const jti = requiredIdentifier(claims, 'jti');
  if (jti instanceof Denial) return jti;
  const audience = onlyAudience(own(claims, 'aud'));
  if (audience instanceof Denial) return audience;
  const profile = rules.profile === 'caracal' ? caracalClaims : rfc9068Claims;
  const read = profile(claims, audience, rules);
  if (read instanceof Denial) return read;

  const { issuer, zoneId } = rules;
  const mandate = {
    issuer,
    zoneId,
    subject,
    applicationId,
    audience: Object.freeze([audience]),
    jti,
    ...lifetime,
    ...read,
  };
  return Object.freeze({ ...mandate, anchors: anchorsOf(mandate) });
}

// Both profiles have exactly one audience: with two, scopes meant for one would count at the other (RFC 9068 section 3).
function onlyAudience(claim: unknown): string | Denial {
  if (claim === undefined) return deny('invalid_token', 'aud_missing');
  const only: unknown = Array.isArray(claim) && claim.length === 1 ? claim[0] : claim;
  return isIdentifier(only) ? only : deny('invalid_token', 'aud_invalid');
}
