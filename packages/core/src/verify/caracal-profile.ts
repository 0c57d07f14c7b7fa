import { Denial, deny } from '../errors.js';
import { identifierList, isName, optionalIdentifier, requiredIdentifier } from './claim-values.js';
import type { ClaimRules, ProfileClaims } from './claims.js';
import { delegationOf } from './delegation.js';
import { type JsonObject, own } from './json-object.js';
import { scopesOf } from './scope-claim.js';

/** Most resources one mandate can reach. */
export const MAX_TARGETS = 256;

/**
 * The claims of profile `caracal`: what Caracal's own token service writes. `aud` is the issuer itself for use
 * `gateway`, whose reach is `target`, and the one resource it reaches for use `resource`. A `session` mandate is for
 * the token service alone.
 */
export function caracalClaims(claims: JsonObject, audience: string, rules: ClaimRules): ProfileClaims | Denial {
  const zone = own(claims, 'zone_id');
  if (!isName(zone)) return deny('invalid_token', zone === undefined ? 'zone_id_missing' : 'zone_id_invalid');
  if (zone !== rules.zoneId) return deny('invalid_token', 'zone_mismatch');
  // The claim `requiredIdentifier` has seen already, and here it has a narrower shape.
  if (!isName(own(claims, 'client_id'))) return deny('invalid_token', 'client_id_invalid');

  const use = own(claims, 'use');
  if (use === 'session') return deny('invalid_token', 'session_mandate');
  if (use !== 'gateway' && use !== 'resource') return deny('invalid_token', 'use_invalid');
  if (use === 'gateway' && audience !== rules.issuer) return deny('invalid_token', 'aud_not_issuer');
  const targets = targetsOf(claims, use, audience);
  if (targets instanceof Denial) return targets;

  const subjectType = own(claims, 'sub_type');
  if (subjectType !== 'application' && subjectType !== 'user') return deny('invalid_token', 'sub_type_invalid');
  const sessionId = requiredIdentifier(claims, 'sid');
  if (sessionId instanceof Denial) return sessionId;
  const rootSessionId = requiredIdentifier(claims, 'root_sid');
  if (rootSessionId instanceof Denial) return rootSessionId;
  const agentSessionId = optionalIdentifier(claims, 'agent_session_id');
  if (agentSessionId instanceof Denial) return agentSessionId;

  const scopes = scopesOf(own(claims, 'scope'), false);
  if (scopes instanceof Denial) return scopes;
  const delegation = delegationOf(claims);
  if (delegation instanceof Denial) return delegation;
  return { use, targets, subjectType, scopes, sessionId, rootSessionId, agentSessionId, delegation };
}

function targetsOf(claims: JsonObject, use: 'gateway' | 'resource', audience: string): readonly string[] | Denial {
  const target = own(claims, 'target');
  if (use === 'resource' && target === undefined) return Object.freeze([audience]);
  if (target === undefined) return deny('invalid_token', 'target_missing');
  const targets = identifierList(target, MAX_TARGETS);
  if (targets === undefined || targets.length === 0) return deny('invalid_token', 'target_invalid');
  if (use === 'gateway') return targets;
  // It names one resource as its audience: a list cannot widen that.
  return targets.includes(audience) ? Object.freeze([audience]) : deny('invalid_token', 'target_mismatch');
}
