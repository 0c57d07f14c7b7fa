import {
  apiKey,
  bearerToken,
  httpBasic,
  noCredential,
  type Provider,
  presentedMandate,
  type SecretStore,
} from '@caracal/core';
import type { ProviderConfiguration } from '../configuration/configuration.js';

/** What providers are made with. */
export interface ProviderEnvironment {
  readonly secrets: SecretStore;
}

type Kind = ProviderConfiguration['kind'];
type OfKind<K extends Kind> = Extract<ProviderConfiguration, { readonly kind: K }>;

/** How each kind of the configuration becomes a provider. The schema of each stands in `configuration/provider-schema.ts`. */
const PROVIDER_KINDS: { readonly [K in Kind]: (options: OfKind<K>, environment: ProviderEnvironment) => Provider } = {
  none: ({ id }) => noCredential(id),
  caracal_mandate: (options) => presentedMandate(withoutKind(options)),
  api_key: (options, { secrets }) => apiKey({ ...withoutKind(options), secrets }),
  bearer_token: (options, { secrets }) => bearerToken({ ...withoutKind(options), secrets }),
  http_basic: (options, { secrets }) => httpBasic({ ...withoutKind(options), secrets }),
};

/** Makes a provider of its configuration. @throws TypeError that names the option and the remedy */
export function makeProvider(configuration: ProviderConfiguration, environment: ProviderEnvironment): Provider {
  const make = PROVIDER_KINDS[configuration.kind] as (
    options: ProviderConfiguration,
    environment: ProviderEnvironment,
  ) => Provider;
  return make(configuration, environment);
}

function withoutKind<T extends { readonly kind: Kind }>({ kind: _, ...options }: T): Omit<T, 'kind'> {
  return options;
}
