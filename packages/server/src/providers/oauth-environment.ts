import {
  type ConnectionStore,
  generateSealingKey,
  memoryConnectionStore,
  type Outbound,
  type SealingKey,
  type SecretBinding,
  type TokenCache,
} from '@caracal/core';
import {
  type ConnectionAuditOptions,
  type ConnectLinks,
  connectLinks,
  type ExchangedMandateOptions,
  type OAuthEvent,
} from '@caracal/oauth';

/** What OAuth providers are made with, besides secrets. */
export interface OAuthEnvironment {
  readonly outbound: Outbound;
  readonly tokenCache: TokenCache | undefined;
  readonly sealing: readonly SealingKey[];
  readonly connections: ConnectionStore;
  /** `undefined` where nothing hosts the connect pages. */
  readonly links: ConnectLinks | undefined;
  /** Where mandates are exchanged; `undefined` where the gateway has no identity or there is no token service. */
  readonly exchange:
    | {
        readonly options: Pick<
          ExchangedMandateOptions,
          'application' | 'tokenService' | 'tokenEndpoint' | 'clientSecret' | 'allowPrivateNetwork'
        >;
        /** What the gateway's own secret is sealed for: it is one, however many providers exchange. */
        readonly binding: SecretBinding;
      }
    | undefined;
  readonly onEvent: ((event: OAuthEvent) => void) | undefined;
  /** Where evidence of connections goes; `undefined`: nowhere. */
  readonly audit: ConnectionAuditOptions | undefined;
}

/** For checking options: asks nobody, keeps nothing. */
export function checkingEnvironment(): OAuthEnvironment {
  const sealing = [{ id: 'check', key: generateSealingKey() }];
  return {
    outbound: { fetch: () => Promise.reject(new TypeError('nothing is asked while a configuration is checked')) },
    tokenCache: undefined,
    sealing,
    connections: memoryConnectionStore(),
    links: connectLinks({ publicUrl: 'https://check.invalid', sealing }),
    exchange: undefined,
    onEvent: undefined,
    audit: undefined,
  };
}
