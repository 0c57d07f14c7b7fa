import type {
  Connection,
  ConnectionChange,
  ConnectionContent,
  ConnectionKey,
  ListedConnections,
} from '../attach/connection-store.js';
import { CaracalError } from '../errors.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';
import { compositeKey } from './composite-key.js';

/** Options of {@link memoryConnectionStore}. */
export interface MemoryConnectionStoreOptions {
  /** Connections kept; more are refused. Default 100,000. */
  readonly maxEntries?: number;
}

/** Default of `maxEntries`. */
export const MEMORY_CONNECTIONS_MAX_ENTRIES = 100_000;

/**
 * Connections in this process's memory: at its end every subject has to connect again. Full, a `put` of a new one throws
 * `CaracalError('credential_unavailable')` with reason `connection_store_full`.
 *
 * @throws TypeError for options that are not in order.
 */
export function memoryConnectionStore(options: MemoryConnectionStoreOptions = {}): ListedConnections {
  refuseUnknownOptions('memoryConnectionStore', options, ['maxEntries']);
  const { maxEntries = MEMORY_CONNECTIONS_MAX_ENTRIES } = options;
  return new MemoryConnectionStore(wholeNumber('memoryConnectionStore', 'maxEntries', maxEntries));
}

interface Kept {
  readonly key: ConnectionKey;
  readonly connection: Connection;
}

class MemoryConnectionStore implements ListedConnections {
  readonly #maxEntries: number;
  readonly #connections = new Map<string, Kept>();
  /** Of all changes here: a connection that was removed and made again must not look unchanged. */
  #changes = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get(key: ConnectionKey): Connection | undefined {
    return this.#connections.get(textOf(key))?.connection;
  }

  // Nothing waits between comparing and setting: that is the atomicity.
  put(key: ConnectionKey, expected: string | undefined, { id, sealed }: ConnectionContent): ConnectionChange {
    const text = textOf(key);
    const before = this.#connections.get(text)?.connection;
    if (before?.version !== expected) return 'conflict';
    if (before === undefined && this.#connections.size >= this.#maxEntries) {
      throw new CaracalError('credential_unavailable', 'connection_store_full');
    }
    this.#changes++;
    const connection = Object.freeze({ id, sealed, version: `${this.#changes}` });
    this.#connections.set(text, { key: copyOf(key), connection });
    return { connection };
  }

  remove(key: ConnectionKey, expected: string): boolean {
    const text = textOf(key);
    if (this.#connections.get(text)?.connection.version !== expected) return false;
    return this.#connections.delete(text);
  }

  async *keys(): AsyncGenerator<ConnectionKey> {
    for (const { key } of [...this.#connections.values()]) yield key;
  }
}

function copyOf({ zoneId, providerId, owner }: ConnectionKey): ConnectionKey {
  return Object.freeze({ zoneId, providerId, owner: owner === 'shared' ? owner : Object.freeze({ ...owner }) });
}

// Two parts more for a subject's own: no subject can be named so that it is taken for the shared one.
function textOf({ zoneId, providerId, owner }: ConnectionKey): string {
  const parts = [zoneId, providerId];
  if (owner !== 'shared') parts.push(owner.issuer, owner.subject);
  return compositeKey(parts);
}
