import type { ListedConnections } from '@caracal/core';
import type { AuthorizationCodeProvider } from './authorization-code.js';

/** What came of sealing connections anew. */
export interface Resealed {
  readonly resealed: number;
  /** Sealed with the first key already, or of no provider given. */
  readonly untouched: number;
  /** They do not open with any key, or the store failed. */
  readonly failed: number;
}

/**
 * Seals every connection of these providers with the first key of their ring, one after another. What is in use seals itself anew when it is
 * read; this is for the rest, before an old key is taken out of the ring.
 */
export async function resealConnections(
  connections: ListedConnections,
  providers: readonly AuthorizationCodeProvider[],
): Promise<Resealed> {
  const byId = new Map(providers.map(({ id, connectable }) => [id, connectable.connections]));
  const count = { resealed: 0, untouched: 0, failed: 0 };
  for await (const key of connections.keys()) {
    try {
      const changed = await byId.get(key.providerId)?.reseal(key);
      count[changed ? 'resealed' : 'untouched']++;
    } catch {
      count.failed++;
    }
  }
  return count;
}
