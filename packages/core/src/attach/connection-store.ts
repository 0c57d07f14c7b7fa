import type { Awaitable } from '../pipeline.js';

/** Whose connection, at which provider. */
export interface ConnectionKey {
  readonly zoneId: string;
  readonly providerId: string;
  /** The subject that connected an account (a subject is one of its issuer), or `shared`: one for all subjects of the zone. */
  readonly owner: { readonly issuer: string; readonly subject: string } | 'shared';
}

/** What a connection holds, besides its version. */
export interface ConnectionContent {
  /** Names the upstream account in records; no secret. */
  readonly id: string;
  /** The account's tokens, sealed by whoever stores them: a store sees no token. */
  readonly sealed: string;
}

/** A stored connection. */
export interface Connection extends ConnectionContent {
  /** Another one after every change and never the same twice, also after a removal: compared, not interpreted. */
  readonly version: string;
}

/** `conflict`: somebody changed it meanwhile, nothing was written; read again. */
export type ConnectionChange = { readonly connection: Connection } | 'conflict';

/**
 * Port: which upstream account did this subject connect? Changes compare and set: authorization servers rotate refresh
 * tokens, and the one written last must be the one obtained last. A throw means it cannot be told.
 */
export interface ConnectionStore {
  get(key: ConnectionKey): Awaitable<Connection | undefined>;
  /**
   * Writes, if the stored version is still `expected` (`undefined`: if there is none). Atomic: of any number of concurrent
   * calls with one `expected`, exactly one writes.
   */
  put(key: ConnectionKey, expected: string | undefined, content: ConnectionContent): Awaitable<ConnectionChange>;
  /** Removes, if the stored version is still `expected`. Atomic. Whether it did. */
  remove(key: ConnectionKey, expected: string): Awaitable<boolean>;
}

/** A store that can tell whose connections it holds: for sealing them with another key. Changes meanwhile may be missed. */
export interface ListedConnections extends ConnectionStore {
  keys(): AsyncIterable<ConnectionKey>;
}
