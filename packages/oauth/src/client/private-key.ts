import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { Secret } from '@caracal/core';
import { SignJWT } from 'jose/jwt/sign';
import { OAuthFault } from '../oauth-fault.js';

/** Algorithms assertions may be signed with. */
export const ASSERTION_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export type AssertionAlgorithm = (typeof ASSERTION_ALGORITHMS)[number];

/** How assertions are signed, besides the key. */
export interface SigningOptions {
  readonly algorithm: AssertionAlgorithm | undefined;
  readonly keyId: string | undefined;
  /** `x5t` and `x5t#S256` of the certificate. */
  readonly thumbprints: Readonly<Record<string, string>> | undefined;
}

const CURVES: Readonly<Record<string, AssertionAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};
const MIN_RSA_BITS = 2_048;

/** Parsed keys by the secret they came from: a store answers the same object until it changes. */
export class AssertionSigner {
  readonly #options: SigningOptions;
  readonly #keys = new WeakMap<Secret, KeyObject>();

  constructor(options: SigningOptions) {
    this.#options = options;
  }

  /** @throws OAuthFault `private_key_<why>`; the key is never quoted. */
  async sign(secret: Secret, claims: Readonly<Record<string, unknown>>): Promise<string> {
    let key = this.#keys.get(secret);
    if (key === undefined) {
      key = parsePrivateKey(secret.reveal());
      this.#keys.set(secret, key);
    }
    const { algorithm, keyId, thumbprints } = this.#options;
    const alg = algorithm ?? defaultAlgorithm(key);
    const header = { alg, typ: 'JWT', ...(keyId === undefined ? undefined : { kid: keyId }), ...thumbprints };
    try {
      return await new SignJWT({ ...claims }).setProtectedHeader(header).sign(key);
    } catch {
      throw new OAuthFault('private_key_not_for_algorithm', { explanation: `the private key cannot sign ${alg}` });
    }
  }
}

/** PEM (PKCS#8, PKCS#1 as GitHub hands out, SEC1) or a JWK as JSON. */
function parsePrivateKey(text: string): KeyObject {
  let key: KeyObject;
  try {
    key = text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : createPrivateKey(pemText(text));
  } catch {
    throw new OAuthFault('private_key_malformed', {
      explanation: 'the private key is no PEM and no JWK, or has a passphrase',
    });
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS) {
    throw new OAuthFault('private_key_too_short', {
      explanation: `an RSA key of ${bits} bits; at least ${MIN_RSA_BITS} are needed`,
    });
  }
  return key;
}

// An environment variable often holds a PEM with its line breaks written as backslash and n.
function pemText(text: string): string {
  return text.includes('\n') ? text : text.replaceAll('\\n', '\n');
}

function defaultAlgorithm(key: KeyObject): AssertionAlgorithm {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  const algorithm = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (algorithm !== undefined) return algorithm;
  throw new OAuthFault('private_key_kind', {
    explanation: 'the private key is neither RSA, P-256, P-384, P-521 nor Ed25519',
  });
}
