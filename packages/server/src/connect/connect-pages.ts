import type { Provider, ReplayStore, SecretStore } from '@caracal/core';
import { type AuthorizationCodeProvider, type ConnectService, createConnectService } from '@caracal/oauth';
import type { Configuration } from '../configuration/configuration.js';
import type { OAuthEnvironment } from '../providers/oauth-environment.js';

/** The service that hosts the connect pages; `undefined` where no provider is one that people connect to. */
export function connectServiceOf(
  { connect }: Configuration,
  providers: Iterable<Provider>,
  environment: OAuthEnvironment,
  others: { readonly secrets: SecretStore; readonly replays: ReplayStore },
): ConnectService | undefined {
  const connectable = [...providers].filter(
    (provider): provider is AuthorizationCodeProvider => 'connectable' in provider,
  );
  const { links, outbound, sealing, onEvent } = environment;
  if (connectable.length === 0 || links === undefined) return undefined;
  return createConnectService({
    links,
    providers: connectable,
    signIn: connect?.signIn ?? [],
    outbound,
    sealing,
    ...others,
    ...(onEvent && { onEvent }),
  });
}
