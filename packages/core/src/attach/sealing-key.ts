import * as base64url from 'jose/base64url';
import { CaracalError } from '../errors.js';
import { decodeBase64url } from '../verify/base64url.js';
import { Secret } from './secret.js';

/** One key of the ring that seals secrets. */
export interface SealingKey {
  /** Stands in every envelope this key has sealed: 1 to 64 of `A-Z a-z 0-9 _ -`. */
  readonly id: string;
  /** Base64url of 32 random bytes, as {@link generateSealingKey} makes it. */
  readonly key: Secret;
}

/** Bytes of a key: AES-256. */
export const SEALING_KEY_BYTES = 32;

const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** A new random key, in the form the environment or a file holds: base64url of 32 bytes, 43 characters. */
export function generateSealingKey(): Secret {
  return new Secret(base64url.encode(crypto.getRandomValues(new Uint8Array(SEALING_KEY_BYTES))));
}

/** Whether the text can be the id of a key. It has no dot, which ends it in an envelope. */
export function isSealingKeyId(text: unknown): text is string {
  return typeof text === 'string' && KEY_ID.test(text);
}

/**
 * Checks a key's shape and answers its bytes.
 *
 * @throws TypeError with the remedy. Neither the key nor any part of it is quoted.
 */
export function sealingKeyBytes({ id, key }: SealingKey): Uint8Array<ArrayBuffer> {
  if (!isSealingKeyId(id)) throw new TypeError('Sealing key: id is 1 to 64 of A-Z a-z 0-9 _ -');
  const bytes = key instanceof Secret ? decodeBase64url(key.reveal()) : undefined;
  if (bytes?.length !== SEALING_KEY_BYTES) {
    throw new TypeError(
      `Sealing key ${id}: key is a Secret, base64url of 32 bytes; make one with generateSealingKey()`,
    );
  }
  return bytes;
}

/** The key as WebCrypto takes it: for AES-256-GCM, not extractable, for one use alone. */
export async function importSealingKey(bytes: Uint8Array<ArrayBuffer>, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, [use]);
  } catch (cause) {
    throw new CaracalError('credential_unavailable', 'sealing_key_not_importable', { cause });
  }
}
