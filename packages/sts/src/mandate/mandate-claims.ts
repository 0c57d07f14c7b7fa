import { isIdentifier, isName, isScope, type JsonObject, own } from '@caracal/core';

/** What a mandate is for. */
export type MandateUse = 'session' | 'gateway' | 'resource';

/** The claims of a mandate of this service, as they are signed. @see RFC 7519 section 4.1, RFC 9068 section 2.2 */
export interface MandateClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly zone_id: string;
  readonly client_id: string;
  readonly scope: string;
  readonly use: MandateUse;
  readonly sub_type: 'application';
  readonly sid: string;
  readonly root_sid: string;
  readonly agent_session_id?: string;
  /** Who had it exchanged and acts with it, where that is not the application itself. @see RFC 8693 section 4.1 */
  readonly act?: { readonly sub: string };
  /** Of uses `gateway` and `resource`. */
  readonly target?: readonly string[];
}

/**
 * Reads claims this issuer signed at some time; the reason where they are none of its own today: a mandate of another
 * zone, of a kind that is not known here, or of a service that was here before.
 */
export function mandateClaims(claims: JsonObject, issuer: string, zone: string): MandateClaims | string {
  const use = own(claims, 'use');
  const audience = own(claims, 'aud');
  const target = own(claims, 'target');
  const agentSession = own(claims, 'agent_session_id');
  if (own(claims, 'iss') !== issuer) return 'issuer_mismatch';
  if (own(claims, 'zone_id') !== zone) return 'zone_mismatch';
  if (use !== 'session' && use !== 'gateway' && use !== 'resource') return 'use_unknown';
  if (use !== 'resource' && audience !== issuer) return 'audience_mismatch';
  if (use === 'resource' && !isIdentifier(audience)) return 'audience_mismatch';
  if ((use === 'session') !== (target === undefined)) return 'target_mismatch';
  if (target !== undefined && !(Array.isArray(target) && target.length > 0 && target.every(isIdentifier))) {
    return 'target_mismatch';
  }
  // Users and delegation have claims that bound what may be issued below them. Unread, they would bound nothing.
  if (own(claims, 'sub_type') !== 'application') return 'subject_type_unknown';
  for (const name of ['delegation_edge_id', 'delegation_path', 'delegation_chain', 'cnf', 'may_act']) {
    if (own(claims, name) !== undefined) return 'claim_not_known';
  }
  const identifiers = ['sub', 'jti', 'sid', 'root_sid'].every((name) => isIdentifier(own(claims, name)));
  if (!identifiers || !isName(own(claims, 'client_id'))) return 'claim_malformed';
  if (agentSession !== undefined && !isIdentifier(agentSession)) return 'claim_malformed';
  return isScopeText(own(claims, 'scope')) ? (claims as unknown as MandateClaims) : 'claim_malformed';
}

/** The scopes of a text; empty for an empty one. */
export function scopesOfText(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ');
}

function isScopeText(value: unknown): value is string {
  return value === '' || (typeof value === 'string' && value.split(' ').every(isScope));
}
