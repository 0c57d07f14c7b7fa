import {
  apiKey,
  bearerToken,
  httpBasic,
  noCredential,
  type Outbound,
  type Provider,
  presentedMandate,
  type SealingKey,
  type SecretStore,
  type TokenCache,
} from '@caracal/core';
import {
  type ExchangedMandateOptions,
  exchangedMandate,
  type OAuthEvent,
  type OAuthServices,
  oauth2ClientCredentials,
} from '@caracal/oauth';
import type { ProviderConfiguration } from '../configuration/configuration.js';

/** What providers are made with. */
export interface ProviderEnvironment {
  readonly secrets: SecretStore;
  /** Every call to an authorization server goes through it. */
  readonly outbound: Outbound;
  /** Tokens obtained before, sealed with `sealing`; they outlive a reload. Default: a cache of each provider's own. */
  readonly tokens?: { readonly tokenCache: TokenCache; readonly sealing: readonly SealingKey[] };
  /** Where and as whom mandates are exchanged; without it only those made for the resource are handed on. */
  readonly exchange?: Pick<ExchangedMandateOptions, 'application' | 'tokenService' | 'tokenEndpoint' | 'clientSecret'>;
  readonly onEvent?: (event: OAuthEvent) => void;
}

type Kind = ProviderConfiguration['kind'];
type OfKind<K extends Kind> = Extract<ProviderConfiguration, { readonly kind: K }>;

/** How each kind of the configuration becomes a provider. The schema of each stands in `configuration/provider-schema.ts`. */
const PROVIDER_KINDS: { readonly [K in Kind]: (options: OfKind<K>, environment: ProviderEnvironment) => Provider } = {
  none: ({ id }) => noCredential(id),
  caracal_mandate: (options, environment) =>
    environment.exchange === undefined
      ? presentedMandate(withoutKind(options))
      : exchangedMandate({ ...withoutKind(options), ...oauthServices(environment), ...environment.exchange }),
  api_key: (options, { secrets }) => apiKey({ ...withoutKind(options), secrets }),
  bearer_token: (options, { secrets }) => bearerToken({ ...withoutKind(options), secrets }),
  http_basic: (options, { secrets }) => httpBasic({ ...withoutKind(options), secrets }),
  oauth2_client_credentials: (options, environment) =>
    oauth2ClientCredentials({ ...withoutKind(options), ...oauthServices(environment) }),
};

/** Makes a provider of its configuration. @throws TypeError that names the option and the remedy */
export function makeProvider(configuration: ProviderConfiguration, environment: ProviderEnvironment): Provider {
  const make = PROVIDER_KINDS[configuration.kind] as (
    options: ProviderConfiguration,
    environment: ProviderEnvironment,
  ) => Provider;
  return make(configuration, environment);
}

function oauthServices({ outbound, secrets, tokens, onEvent }: ProviderEnvironment): OAuthServices {
  return { outbound, secrets, ...tokens, ...(onEvent === undefined ? {} : { onEvent }) };
}

function withoutKind<T extends { readonly kind: Kind }>({ kind: _, ...options }: T): Omit<T, 'kind'> {
  return options;
}
