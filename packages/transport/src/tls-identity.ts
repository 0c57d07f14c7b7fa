import { createHash } from 'node:crypto';
import type { TlsOptions } from '@caracal/core';

/** Says which TLS options are the same by content; see {@link tlsIdentity}. */
export type TlsIdentity = (tls: TlsOptions | undefined) => string;

/**
 * Makes a function that names TLS options by their content, `-` for none. Options of one object are digested once, so
 * that asking on every request costs a map look-up; a digest, so that no private key ends up in a pool's key.
 */
export function tlsIdentity(): TlsIdentity {
  const known = new WeakMap<TlsOptions, string>();
  return (tls) => {
    if (tls === undefined) return '-';
    let identity = known.get(tls);
    if (identity === undefined) {
      const content = JSON.stringify([tls.ca ?? null, tls.cert ?? null, tls.key ?? null, tls.serverName ?? null]);
      identity = createHash('sha256').update(content).digest('base64url');
      known.set(tls, identity);
    }
    return identity;
  };
}
