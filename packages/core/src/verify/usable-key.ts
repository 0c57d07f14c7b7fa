import { decodeBase64url } from './base64url.js';
import { isKid } from './jose-header.js';
import { isJsonObject, type JsonObject, own } from './json-object.js';
import type { SignatureAlgorithm } from './signature.js';

/** A published key that passed every check that needs no cryptography. */
export interface UsableKey {
  readonly kid: string;
  /** The one algorithm it serves. */
  readonly alg: SignatureAlgorithm;
  /** Only what describes the public key: no `use`, `key_ops`, `ext` or `x5c` that could change how it is imported. */
  readonly jwk: Readonly<Record<string, string>>;
}

/** Longest RSA modulus, bits, and exponent, bytes: verification by a longer one costs too much. */
export const MAX_RSA_MODULUS_BITS = 8192;
const MAX_RSA_EXPONENT_BYTES = 8;
const MIN_RSA_MODULUS_BITS = 2048;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/**
 * Checks one entry of a key set, or says in fixed snake_case text why it is not used. A key without `alg` serves the
 * algorithm of its curve; an RSA key without one serves RS256 where the issuer allows that, else PS256.
 *
 * @see RFC 7517 section 4, RFC 8725 section 3.5
 */
export function usableKey(entry: unknown, algorithms: ReadonlySet<string>): UsableKey | string {
  if (!isJsonObject(entry)) return 'not_an_object';
  const kty = own(entry, 'kty');
  if (kty === 'oct') return 'symmetric';
  // A private key that was published is a stolen one.
  if (PRIVATE_MEMBERS.some((member) => own(entry, member) !== undefined)) return 'private_members';
  const kid = own(entry, 'kid');
  if (!isKid(kid)) return 'kid_invalid';
  const use = own(entry, 'use');
  if (use !== undefined && use !== 'sig') return 'use_not_sig';
  const operations = own(entry, 'key_ops');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'key_ops_without_verify';
  }
  const alg = algorithmOf(entry, kty, algorithms);
  if (alg === undefined) return 'algorithm_not_allowed';
  const jwk = kty === 'RSA' ? rsaMembers(entry) : curveMembers(entry, alg);
  return jwk === undefined ? 'key_too_weak_or_malformed' : { kid, alg, jwk };
}

function algorithmOf(entry: JsonObject, kty: unknown, allowed: ReadonlySet<string>): SignatureAlgorithm | undefined {
  const crv = own(entry, 'crv');
  const declared = own(entry, 'alg');
  const candidates: readonly SignatureAlgorithm[] =
    kty === 'EC' && crv === 'P-256'
      ? ['ES256']
      : kty === 'OKP' && crv === 'Ed25519'
        ? ['EdDSA']
        : kty === 'RSA'
          ? ['RS256', 'PS256']
          : [];
  // RFC 9864 gives EdDSA over this curve a name of its own; WebCrypto exports keys with it.
  const named = kty === 'OKP' && declared === 'Ed25519' ? 'EdDSA' : declared;
  return candidates.find((alg) => allowed.has(alg) && (named === undefined || named === alg));
}

function curveMembers(entry: JsonObject, alg: SignatureAlgorithm): UsableKey['jwk'] | undefined {
  const x = own(entry, 'x');
  if (bytesOf(x)?.length !== 32) return undefined;
  if (alg === 'EdDSA') return { kty: 'OKP', crv: 'Ed25519', x: x as string };
  const y = own(entry, 'y');
  if (bytesOf(y)?.length !== 32) return undefined;
  return { kty: 'EC', crv: 'P-256', x: x as string, y: y as string };
}

// jose and most runtimes take e = 1, with which every message is its own signature.
function rsaMembers(entry: JsonObject): UsableKey['jwk'] | undefined {
  const n = own(entry, 'n');
  const e = own(entry, 'e');
  const modulus = bytesOf(n);
  const exponent = bytesOf(e);
  if (modulus === undefined || exponent === undefined) return undefined;
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_MODULUS_BITS || bits > MAX_RSA_MODULUS_BITS || !isOdd(modulus)) return undefined;
  if (exponent.length > MAX_RSA_EXPONENT_BYTES || bitLength(exponent) < 2 || !isOdd(exponent)) return undefined;
  return { kty: 'RSA', n: n as string, e: e as string };
}

function bytesOf(member: unknown): Uint8Array | undefined {
  return typeof member === 'string' ? decodeBase64url(member) : undefined;
}

function bitLength(bigEndian: Uint8Array): number {
  const first = bigEndian.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bigEndian.length - first) * 8 - (Math.clz32(bigEndian[first]!) - 24);
}

function isOdd(bigEndian: Uint8Array): boolean {
  return (bigEndian.at(-1)! & 1) === 1;
}
