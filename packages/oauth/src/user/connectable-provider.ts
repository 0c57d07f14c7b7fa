import type { TokenClient } from '../client/token-client.js';
import type { Connections } from './connections.js';

/** What the connect service needs to know of a provider. */
export interface ConnectableProvider {
  readonly id: string;
  readonly title: string;
  readonly origins: readonly string[] | undefined;
  readonly shared: boolean;
  readonly client: TokenClient;
  readonly connections: Connections;
  readonly redirectUri: string;
  readonly authorizationParameters: readonly (readonly [string, string])[];
  readonly scopeParameter: string;
}
