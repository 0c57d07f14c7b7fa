import {
  type CompactJws,
  Denial,
  isIdentifier,
  type JsonObject,
  type Lifetime,
  lifetimeOf,
  own,
  parseCompactJws,
} from '@caracal/core';
import { compactVerify } from 'jose/jws/compact/verify';
import { ASSERTION_ALGORITHMS, type AssertionKeys } from './assertion-keys.js';

/** Longest assertion, characters. */
export const MAX_ASSERTION_LENGTH = 8_192;
/** Longest life of an assertion, s: it is good for one request, and its `jti` is remembered as long. */
export const MAX_ASSERTION_LIFE_SECONDS = 600;

/** Types an assertion may have; without one it is a JWT as well. @see draft-ietf-oauth-rfc7523bis */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'client-authentication+jwt'];

/** An assertion whose signature and claims are right; whether it was used before is not known yet. */
export interface ClientAssertion extends Lifetime {
  readonly jti: string;
}

/** Takes an assertion apart; nothing in it is verified. `undefined` where it is none. */
export function parseAssertion(assertion: string): CompactJws | undefined {
  const jws = assertion.length > MAX_ASSERTION_LENGTH ? undefined : parseCompactJws(assertion);
  return jws instanceof Denial ? undefined : jws;
}

/**
 * Verifies an assertion for one application at `nowMs`: signed by a key of its own, `iss` and `sub` its id, exactly one
 * audience, which is the issuer or the token endpoint, `iat`, `exp` and `jti` present, life at most
 * {@link MAX_ASSERTION_LIFE_SECONDS}. Answers the reason where it is refused.
 *
 * @see RFC 7523 section 3
 */
export async function verifyAssertion(
  assertion: string,
  { header, payload }: CompactJws,
  expected: { readonly applicationId: string; readonly keys: AssertionKeys; readonly audiences: readonly string[] },
  nowMs: number,
): Promise<ClientAssertion | string> {
  if (!TYPES.includes(typeOf(header))) return 'assertion_type_header';
  try {
    await compactVerify(assertion, expected.keys, { algorithms: [...ASSERTION_ALGORITHMS] });
  } catch {
    // Another algorithm, no such key, or a wrong signature: which one helps only who forges.
    return 'assertion_signature';
  }
  if (own(payload, 'iss') !== expected.applicationId || own(payload, 'sub') !== expected.applicationId) {
    return 'assertion_names_another';
  }
  const audience = own(payload, 'aud');
  const only: unknown = Array.isArray(audience) && audience.length === 1 ? audience[0] : audience;
  // With two audiences the other of them could use it here.
  if (typeof only !== 'string' || !expected.audiences.includes(only)) return 'assertion_audience';
  const lifetime = lifetimeOf(payload, nowMs);
  if (lifetime instanceof Denial) return `assertion_${lifetime.reason}`;
  if (lifetime.expiresAt - nowMs / 1000 > MAX_ASSERTION_LIFE_SECONDS) return 'assertion_lives_too_long';
  const jti = own(payload, 'jti');
  return isIdentifier(jti) ? { ...lifetime, jti } : 'assertion_jti';
}

function typeOf(header: JsonObject): unknown {
  const typ = own(header, 'typ');
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
}
