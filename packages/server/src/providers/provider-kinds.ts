import {
  apiKey,
  bearerToken,
  httpBasic,
  noCredential,
  type Provider,
  presentedMandate,
  type SecretStore,
} from '@caracal/core';
import { exchangedMandate, oauth2AuthorizationCode, oauth2ClientCredentials } from '@caracal/oauth';
import type { ProviderConfiguration } from '../configuration/configuration.js';
import type { OAuthEnvironment } from './oauth-environment.js';

/** What providers are made with. */
export interface ProviderEnvironment {
  readonly secrets: SecretStore;
  readonly oauth: OAuthEnvironment;
  /** Texts of certificates, by the id of their provider. */
  readonly certificates?: ReadonlyMap<string, string>;
}

type Kind = ProviderConfiguration['kind'];
type OfKind<K extends Kind> = Extract<ProviderConfiguration, { readonly kind: K }>;

/** How each kind of the configuration becomes a provider. The schema of each stands in `configuration/provider-schema.ts`. */
const PROVIDER_KINDS: { readonly [K in Kind]: (options: OfKind<K>, environment: ProviderEnvironment) => Provider } = {
  none: ({ id }) => noCredential(id),
  caracal_mandate: (options, environment) => {
    const { exchange } = environment.oauth;
    if (exchange === undefined) return presentedMandate(withoutKind(options));
    const secrets: SecretStore = { open: (reference) => environment.secrets.open(reference, exchange.binding) };
    return exchangedMandate({
      ...withoutKind(options),
      ...exchange.options,
      ...clientServicesOf({ ...environment, secrets }),
    });
  },
  api_key: (options, { secrets }) => apiKey({ ...withoutKind(options), secrets }),
  bearer_token: (options, { secrets }) => bearerToken({ ...withoutKind(options), secrets }),
  http_basic: (options, { secrets }) => httpBasic({ ...withoutKind(options), secrets }),
  oauth2_client_credentials: (options, environment) => {
    const { certificate: _, ...members } = withoutKind(options);
    return oauth2ClientCredentials({
      ...members,
      ...certificateOf(options.id, environment),
      ...clientServicesOf(environment),
    });
  },
  oauth2_authorization_code: (options, environment) => {
    const { certificate: _, ...members } = withoutKind(options);
    const { connections, links } = environment.oauth;
    if (links === undefined) {
      throw new TypeError('oauth2AuthorizationCode: kind: needs tokenService, whose listener hosts the connect pages');
    }
    return oauth2AuthorizationCode({
      ...members,
      ...certificateOf(options.id, environment),
      ...clientServicesOf(environment),
      connections,
      connect: links,
    });
  },
};

/** Makes a provider of its configuration. @throws TypeError that names the option and the remedy */
export function makeProvider(configuration: ProviderConfiguration, environment: ProviderEnvironment): Provider {
  const make = PROVIDER_KINDS[configuration.kind] as (
    options: ProviderConfiguration,
    environment: ProviderEnvironment,
  ) => Provider;
  return make(configuration, environment);
}

function clientServicesOf({ oauth, secrets }: ProviderEnvironment) {
  const { outbound, tokenCache, sealing, onEvent, audit } = oauth;
  return {
    outbound,
    sealing,
    secrets,
    ...(tokenCache && { tokenCache }),
    ...(onEvent && { onEvent }),
    ...(audit && { audit }),
  };
}

function certificateOf(id: string, { certificates }: ProviderEnvironment) {
  const certificate = certificates?.get(id);
  return certificate === undefined ? undefined : { certificate };
}

function withoutKind<T extends { readonly kind: Kind }>({ kind: _, ...options }: T): Omit<T, 'kind'> {
  return options;
}
