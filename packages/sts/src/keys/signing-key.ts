import { Secret } from '@caracal/core';
import type { JWK } from 'jose';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { exportJWK } from 'jose/key/export';
import { generateKeyPair } from 'jose/key/generate/keypair';

/** What mandates can be signed with. */
export type SigningAlgorithm = 'ES256' | 'EdDSA';

/** A signing key as it is kept. */
export interface SigningKey {
  /** Its JWK thumbprint. @see RFC 7638 */
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  /** The public JWK: `kty`, `crv`, `x`, `y`. */
  readonly publicJwk: Readonly<JWK>;
  /** The private JWK as JSON. */
  readonly privateJwk: Secret;
  /** Seconds since the epoch. The newest key signs. */
  readonly createdAt: number;
  /** Seconds since the epoch: until then it is published. Absent for the key that signs. */
  readonly retiresAt?: number;
}

/** Port: which keys does this issuer sign with? */
export interface SigningKeyStore {
  /** Every key that was saved last; empty before the first time. A throw means they cannot be had: nothing is signed. */
  load(): Promise<readonly SigningKey[]>;
  /** Replaces all keys, atomically. Resolves when they survive the end of the process, where this store can do that. */
  save(keys: readonly SigningKey[]): Promise<void>;
}

/** Makes a key. `now`: seconds since the epoch. */
export async function generateSigningKey(alg: SigningAlgorithm, now: number): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  return Object.freeze({
    kid: await calculateJwkThumbprint(publicJwk),
    alg,
    publicJwk: Object.freeze(publicJwk),
    privateJwk: new Secret(JSON.stringify(await exportJWK(privateKey))),
    createdAt: now,
  });
}

/** Keys in this process's memory: mandates end with it, for nobody can verify them afterwards. */
export function memorySigningKeyStore(): SigningKeyStore {
  let kept: readonly SigningKey[] = [];
  return {
    load: async () => kept,
    save: async (keys) => {
      kept = [...keys];
    },
  };
}
