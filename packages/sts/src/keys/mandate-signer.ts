import { createPrivateKey, sign } from 'node:crypto';
import type { SigningKey } from './signing-key.js';

/** Signs claims as a mandate: header `alg`, `kid` and `typ` `at+jwt`. @see RFC 9068 section 2.1, RFC 7515 section 7.1 */
export type MandateSigner = (claims: object) => string;

/**
 * What signs with a key, in this thread: the way to another one and back takes more of a processor than the signature, and
 * nobody gets one who has not authenticated.
 *
 * @throws TypeError where the key is none that signs
 */
export function mandateSigner({ kid, alg, privateJwk }: SigningKey): MandateSigner {
  const key = createPrivateKey({ key: JSON.parse(privateJwk.reveal()), format: 'jwk' });
  const header = encoded({ alg, kid, typ: 'at+jwt' });
  // Ed25519 has its own digest (RFC 8037 section 3.1); of ECDSA a JWS holds the two numbers alone (RFC 7518 section 3.4).
  const digest = alg === 'ES256' ? 'sha256' : null;
  const input = Object.freeze({ key, dsaEncoding: 'ieee-p1363' as const });
  return (claims) => {
    const signed = `${header}.${encoded(claims)}`;
    return `${signed}.${sign(digest, Buffer.from(signed, 'latin1'), input).toString('base64url')}`;
  };
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
