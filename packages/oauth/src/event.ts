import type { ConnectionKey } from '@caracal/core';

/** What happened to a token or a connection. */
export type OAuthEventType =
  /** A token was obtained or refreshed. */
  | 'token_obtained'
  | 'token_failed'
  | 'connected'
  | 'reconnected'
  | 'disconnected'
  | 'connection_refreshed'
  /** A refresh failed and will be tried again. */
  | 'connection_refresh_failed'
  /** The refresh token is not accepted any more: the account has to be connected anew. */
  | 'connection_lost'
  /** A connection opens with none of the keys: put its key back, or it has to be connected anew. `reason` tells more. */
  | 'connection_unreadable'
  /** Somebody could not connect; `reason` tells why. */
  | 'connect_refused';

/** An event, without tokens, secrets or codes. */
export interface OAuthEvent {
  readonly type: OAuthEventType;
  readonly providerId: string;
  readonly zoneId: string;
  readonly owner?: ConnectionKey['owner'];
  readonly connectionId?: string;
  /** Fixed text. */
  readonly reason?: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** A listener whose own failure hurts nobody. */
export function quietly(listener: ((event: OAuthEvent) => void) | undefined): (event: OAuthEvent) => void {
  return (event) => {
    try {
      listener?.(Object.freeze(event));
    } catch {
      // A listener that fails must not keep a token that was obtained from those who wait for it.
    }
  };
}
