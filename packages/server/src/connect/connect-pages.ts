import type { Provider, ReplayStore, SecretStore } from '@caracal/core';
import { type AuthorizationCodeProvider, type ConnectService, createConnectService } from '@caracal/oauth';
import type { Configuration } from '../configuration/configuration.js';
import type { OAuthEnvironment } from '../providers/oauth-environment.js';

/** Of these providers, those that people connect accounts to. */
export function connectableOf(providers: Iterable<Provider>): readonly AuthorizationCodeProvider[] {
  return [...providers].filter((provider): provider is AuthorizationCodeProvider => 'connectable' in provider);
}

/** The service that hosts the connect pages; `undefined` where no provider is one that people connect to. */
export function connectServiceOf(
  { connect }: Configuration,
  connectable: readonly AuthorizationCodeProvider[],
  environment: OAuthEnvironment,
  others: { readonly secrets: SecretStore; readonly replays: ReplayStore },
): ConnectService | undefined {
  const { links, outbound, sealing, onEvent, audit } = environment;
  if (connectable.length === 0 || links === undefined) return undefined;
  return createConnectService({
    links,
    providers: connectable,
    signIn: connect?.signIn ?? [],
    outbound,
    sealing,
    ...others,
    ...(onEvent && { onEvent }),
    ...(audit && { audit }),
  });
}
