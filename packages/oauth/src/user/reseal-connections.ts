import type { ListedConnections } from '@caracal/core';
import { OAuthFault } from '../oauth-fault.js';
import type { AuthorizationCodeProvider } from './authorization-code.js';
import { UNREADABLE } from './connections.js';

/** What came of sealing connections anew; each is counted once. */
export interface Resealed {
  readonly resealed: number;
  /** Sealed with the first key already. */
  readonly current: number;
  /** They open with none of the keys: nobody but their owners, who connect anew, or their key can help. */
  readonly unreadable: number;
  /** Refreshed or changed at the same moment: another pass takes them. */
  readonly busy: number;
  /** The store failed for them: another pass takes them. */
  readonly failed: number;
  /** Of no provider given. */
  readonly others: number;
}

/** Options of {@link resealConnections}. */
export interface ResealOptions {
  /** Ends it between two connections. */
  readonly signal?: AbortSignal;
}

/** So many are looked at before others get a turn. */
const TURN = 32;

/**
 * Seals every connection of these providers with the first key of their ring, one after another. What is in use seals itself anew when it is
 * read; this is for the rest, before an old key is taken out of the ring. Goes on where one fails.
 *
 * @throws what `keys()` of the store throws
 */
export async function resealConnections(
  connections: ListedConnections,
  providers: readonly AuthorizationCodeProvider[],
  { signal }: ResealOptions = {},
): Promise<Resealed> {
  const byId = new Map(providers.map(({ id, connectable }) => [id, connectable.connections]));
  const count = { resealed: 0, current: 0, unreadable: 0, busy: 0, failed: 0, others: 0 };
  let seen = 0;
  for await (const key of connections.keys()) {
    if (signal?.aborted) break;
    try {
      count[(await byId.get(key.providerId)?.reseal(key)) ?? 'others']++;
    } catch (cause) {
      count[cause instanceof OAuthFault && cause.reason === UNREADABLE ? 'unreadable' : 'failed']++;
    }
    // A store in memory never waits, and requests must.
    if (++seen % TURN === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return count;
}
