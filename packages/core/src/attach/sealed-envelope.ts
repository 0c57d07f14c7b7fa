import * as base64url from 'jose/base64url';
import { decodeBase64url } from '../verify/base64url.js';
import { isSealingKeyId } from './sealing-key.js';

/** A sealed secret taken apart. */
export interface SealedEnvelope {
  readonly keyId: string;
  /** 96 bits, random. */
  readonly iv: Uint8Array<ArrayBuffer>;
  /** AES-GCM output: as long as the secret, and 16 bytes of tag. */
  readonly ciphertext: Uint8Array<ArrayBuffer>;
}

/** Bytes of the initialization vector. @see NIST SP 800-38D section 8.2.2 */
export const IV_BYTES = 12;

/** Longest secret that can be sealed, bytes of UTF-8: a large private key has about 3,300. */
export const MAX_SECRET_BYTES = 16_384;

const VERSION = 'v1';
const TAG_BYTES = 16;
const MAX_ENVELOPE_LENGTH = 24_000;

/** Writes `v1.<keyId>.<iv>.<ciphertext>`, the last two in base64url. */
export function formatEnvelope({ keyId, iv, ciphertext }: SealedEnvelope): string {
  return `${VERSION}.${keyId}.${base64url.encode(iv)}.${base64url.encode(ciphertext)}`;
}

/** Reads an envelope; `undefined` for everything {@link formatEnvelope} does not write, to the character. */
export function parseEnvelope(text: string): SealedEnvelope | undefined {
  if (typeof text !== 'string' || text.length > MAX_ENVELOPE_LENGTH) return undefined;
  const [version, keyId, ivText, ciphertextText, ...more] = text.split('.', 5);
  if (version !== VERSION || !isSealingKeyId(keyId) || more.length > 0) return undefined;
  const iv = decodeBase64url(ivText ?? '');
  const ciphertext = decodeBase64url(ciphertextText ?? '');
  if (iv?.length !== IV_BYTES || ciphertext === undefined || ciphertext.length <= TAG_BYTES) return undefined;
  return { keyId, iv, ciphertext };
}
