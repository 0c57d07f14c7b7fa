import {
  type Anchor,
  type AnchorKind,
  checkHeader,
  Denial,
  type KeySet,
  lifetimeOf,
  parseCompactJws,
  type RevocationStore,
  verifySignature,
} from '@caracal/core';
import { type MandateClaims, mandateClaims } from './mandate-claims.js';

/** Longest mandate, characters. */
export const MAX_MANDATE_LENGTH = 8_192;

const HEADER_RULES = Object.freeze({ algorithms: new Set(['ES256', 'EdDSA']), types: new Set(['at+jwt']) });

/** Whose mandates are verified, and when. */
export interface OwnIssuer {
  readonly issuer: string;
  readonly zone: string;
  readonly keys: KeySet;
  readonly nowMs: number;
}

/**
 * Verifies a mandate of this very issuer, of any use: form, signature, life, claims. Revocation is not its business.
 * Answers the reason where it is none.
 */
export async function verifyOwnMandate(token: string, own: OwnIssuer): Promise<MandateClaims | string> {
  if (token.length > MAX_MANDATE_LENGTH) return 'too_long';
  const jws = parseCompactJws(token);
  if (jws instanceof Denial) return jws.reason;
  const choice = checkHeader(jws.header, HEADER_RULES);
  if (choice instanceof Denial) return choice.reason;
  const key = own.keys.get(choice.kid);
  if (key === undefined) return 'key_unknown';
  if (key.alg !== choice.alg) return 'alg_not_of_key';
  if (!(await verifySignature(key, jws.signature, jws.signed))) return 'signature_invalid';
  const lifetime = lifetimeOf(jws.payload, own.nowMs);
  if (lifetime instanceof Denial) return lifetime.reason;
  return mandateClaims(jws.payload, own.issuer, own.zone);
}

/** Whether something this mandate stands on has been revoked. */
export function isRevoked(claims: MandateClaims, revocations: RevocationStore): boolean {
  const anchors: Anchor[] = [];
  const add = (kind: AnchorKind, id: string | undefined) => {
    if (id !== undefined) anchors.push(anchorOf(claims, kind, id));
  };
  add('sid', claims.sid);
  add('root_sid', claims.root_sid);
  add('agent_session_id', claims.agent_session_id);
  add('jti', claims.jti);
  add('client_id', claims.client_id);
  add('sub', claims.sub);
  return revocations.isRevoked(anchors);
}

/**
 * What revoking this mandate revokes: its session with all that was issued in it, where it stands for that session
 * (use `session`, or the session's first mandate, whose `jti` is the `sid`); else itself alone.
 */
export function revocationOf(claims: MandateClaims): Anchor {
  const isSession = claims.use === 'session' || claims.jti === claims.sid;
  return isSession ? anchorOf(claims, 'sid', claims.sid) : anchorOf(claims, 'jti', claims.jti);
}

function anchorOf(claims: MandateClaims, kind: AnchorKind, id: string): Anchor {
  return { zoneId: claims.zone_id, issuer: claims.iss, kind, id };
}
