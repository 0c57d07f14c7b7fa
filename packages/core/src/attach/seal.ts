import { formatEnvelope, IV_BYTES, MAX_SECRET_BYTES } from './sealed-envelope.js';
import { importSealingKey, type SealingKey, sealingKeyBytes } from './sealing-key.js';
import { associatedData } from './secret-binding.js';
import type { SecretBinding } from './secret-store.js';

/**
 * Seals a secret with AES-256-GCM for one place: zone, provider, field and origins. Each call draws a random 96-bit IV, so
 * one key is good for 2^32 secrets. @see NIST SP 800-38D section 8.3
 *
 * @returns `v1.<keyId>.<iv>.<ciphertext>`, to be opened by {@link sealedSecretStore} with the same binding.
 * @throws TypeError for a text that is empty, over 16 KiB or not well-formed Unicode, a key that is not 32 bytes, and an
 *   incomplete binding. The text is never quoted.
 */
export async function sealSecret(text: string, key: SealingKey, binding: SecretBinding): Promise<string> {
  // A lone surrogate would become U+FFFD in UTF-8, and what is opened later would be another secret.
  if (typeof text !== 'string' || text === '' || !text.isWellFormed()) {
    throw new TypeError('sealSecret: the secret is a well-formed text that is not empty');
  }
  const plaintext = new TextEncoder().encode(text);
  if (plaintext.length > MAX_SECRET_BYTES) {
    throw new TypeError(`sealSecret: the secret has more than ${MAX_SECRET_BYTES} bytes`);
  }
  const additionalData = associatedData(key.id, binding);
  const sealing = await importSealingKey(sealingKeyBytes(key), 'encrypt');
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, sealing, plaintext);
  return formatEnvelope({ keyId: key.id, iv, ciphertext: new Uint8Array(sealed) });
}
