import * as base64url from 'jose/base64url';
import { CaracalError } from '../errors.js';
import { decodeBase64url } from '../verify/base64url.js';
import { SEALING_KEY_BYTES, type SealingKey, sealingKeyBytes } from './sealing-key.js';
import { Secret } from './secret.js';

/**
 * Port: a key management service that keeps the key which protects sealing keys. `wrap` encrypts 32 bytes, `unwrap` decrypts what `wrap`
 * answered. A throw means it cannot be done.
 */
export type KeyWrapper = (operation: 'wrap' | 'unwrap', bytes: Uint8Array) => Promise<Uint8Array>;

/** A sealing key as it may lie in a configuration file: of use only together with the service that wrapped it. */
export interface WrappedSealingKey {
  readonly id: string;
  /** Base64url of what the service answered. */
  readonly wrapped: string;
}

/** Wraps a sealing key. @throws TypeError for one that is no key; what the service throws */
export async function wrapSealingKey(key: SealingKey, wrapper: KeyWrapper): Promise<WrappedSealingKey> {
  const wrapped = await wrapper('wrap', sealingKeyBytes(key));
  return Object.freeze({ id: key.id, wrapped: base64url.encode(wrapped) });
}

/**
 * Unwraps a sealing key, once at the start; from then on nothing asks the service.
 *
 * @throws CaracalError `credential_unavailable`, reason `sealing_key_not_unwrapped`, where the service fails or answers no key.
 */
export async function unwrapSealingKey({ id, wrapped }: WrappedSealingKey, wrapper: KeyWrapper): Promise<SealingKey> {
  const bytes = typeof wrapped === 'string' ? decodeBase64url(wrapped) : undefined;
  if (bytes === undefined) throw new CaracalError('credential_unavailable', 'sealing_key_not_unwrapped');
  let plain: Uint8Array;
  try {
    plain = await wrapper('unwrap', bytes);
  } catch (cause) {
    throw new CaracalError('credential_unavailable', 'sealing_key_not_unwrapped', { cause });
  }
  if (plain.length !== SEALING_KEY_BYTES) throw new CaracalError('credential_unavailable', 'sealing_key_not_unwrapped');
  return Object.freeze({ id, key: new Secret(base64url.encode(plain)) });
}
