import { normalizedOrigins } from './origins.js';
import type { SecretBinding } from './secret-store.js';

const PURPOSE = 'caracal sealed secret v1';

/**
 * The associated data that ties a ciphertext to its place: moved to another zone, provider or field, or with other
 * origins, it does not open. A JSON array, because joined text would let one part pose as another; the order of origins
 * does not matter. @see NIST SP 800-38D section 5.2.1
 *
 * @throws TypeError where the binding is not complete, so that nothing is sealed for `undefined`.
 */
export function associatedData(keyId: string, binding: SecretBinding): Uint8Array<ArrayBuffer> {
  const { zoneId, providerId, field, origins } = binding;
  for (const part of [zoneId, providerId, field]) {
    if (typeof part !== 'string' || part === '') {
      throw new TypeError('A sealed secret is bound to a zoneId, a providerId and a field; none may be empty');
    }
  }
  const parts = [PURPOSE, keyId, zoneId, providerId, field, normalizedOrigins(origins)];
  return new TextEncoder().encode(JSON.stringify(parts));
}
