import type { Credential, Provider } from './provider.js';
import { providerId } from './provider-options.js';

const NOTHING: Credential = Object.freeze({
  headers: Object.freeze([]),
  query: undefined,
  secrets: Object.freeze([]),
  connection: undefined,
});

/**
 * A provider that attaches nothing: for an upstream that needs no credential. The caller's own `Authorization` is removed
 * all the same.
 *
 * @param id Stands in records. Default `none`.
 * @throws TypeError for an id that is none.
 */
export function noCredential(id = 'none'): Provider {
  return Object.freeze({
    id: providerId('noCredential', id),
    kind: 'none' as const,
    origins: undefined,
    headerNames: Object.freeze([]),
    renewable: false,
    attach: () => NOTHING,
    renew: async () => NOTHING,
  });
}
