import type { VerificationKey } from './key-source.js';

/** Signature algorithms a mandate can have; symmetric ones and `none` do not exist here. @see RFC 7518 section 3.1 */
export type SignatureAlgorithm = VerificationKey['alg'];

/** Every {@link SignatureAlgorithm}. */
export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = Object.freeze(['ES256', 'EdDSA', 'RS256', 'PS256']);

/** What an issuer's mandates may be signed with unless its option says otherwise. */
export const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = Object.freeze(['ES256', 'EdDSA']);

const PARAMETERS: Readonly<Record<SignatureAlgorithm, Algorithm | EcdsaParams | RsaPssParams>> = Object.freeze({
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
});

/**
 * Whether the signature is this key's over these bytes. A rejection is a fault on our side: the length, the one thing
 * about a signature that makes a runtime throw, is judged before.
 *
 * @see RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1
 */
export async function verifySignature(
  { alg, key }: VerificationKey,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (signature.length !== signatureLength(alg, key)) return false;
  return crypto.subtle.verify(PARAMETERS[alg], key, signature, signed);
}

function signatureLength(alg: SignatureAlgorithm, key: CryptoKey): number {
  if (alg === 'ES256' || alg === 'EdDSA') return 64;
  return Math.ceil((key.algorithm as KeyAlgorithm & { modulusLength: number }).modulusLength / 8);
}
