import {
  type Awaitable,
  type Credential,
  type CredentialRequest,
  type Denial,
  type Provider,
  refuseUnknownOptions,
  type TokenKey,
} from '@caracal/core';
import { CLIENT_OPTIONS, type ClientOptions, clientSettings, GITHUB_API } from '../client/client-options.js';
import { TokenClient } from '../client/token-client.js';
import { type Probe, type Probeable, probed } from '../probe.js';
import { TOKEN_PROVIDER_OPTIONS, type TokenProviderOptions, tokenProviderMembers } from '../provider-members.js';
import { type OAuthServices, SERVICE_OPTIONS, type Services, servicesOf } from '../services.js';
import { SharedTokens, type Wanted } from '../tokens/shared-tokens.js';
import type { TokenSet } from '../tokens/token-set.js';
import { installationIdOf, installationToken } from './github-app.js';
import { type AssertionOptions, assertionParameters, assertionSettings, JWT_BEARER_GRANT } from './jwt-bearer.js';

/** How a machine's token is asked for. */
export type MachineGrant = 'client_credentials' | 'jwt_bearer' | 'github_app';

/** Options of {@link oauth2ClientCredentials}. */
export interface ClientCredentialsOptions extends OAuthServices, TokenProviderOptions, ClientOptions {
  /** Default `client_credentials`. `jwt_bearer` and `github_app` need `privateKey`. */
  readonly grant?: MachineGrant;
  /** Of grant `jwt_bearer`. */
  readonly assertion?: AssertionOptions;
  /** Of grant `github_app`, whose `clientId` is the app's id; `tokenEndpoint` is the API, default https://api.github.com. */
  readonly installationId?: string | number;
}

const FACTORY = 'oauth2ClientCredentials';
const KNOWN = [
  ...SERVICE_OPTIONS,
  ...TOKEN_PROVIDER_OPTIONS,
  ...CLIENT_OPTIONS,
  'grant',
  'assertion',
  'installationId',
];

/**
 * A provider that attaches an access token of the gateway's own: obtained by client credentials, by an assertion (RFC 7523) or as a
 * GitHub App; kept in `tokenCache`, sealed; renewed in the background before it ends, by one process at a time.
 *
 * What cannot be had is answered `credential_unavailable`; the reason says what the token endpoint did. A token that has not ended
 * serves on while its renewal fails. Failures are remembered, 1 s and then longer up to a minute.
 *
 * @throws TypeError at creation. @see RFC 6749 section 4.4
 */
export function oauth2ClientCredentials(options: ClientCredentialsOptions): Provider & Probeable {
  refuseUnknownOptions(FACTORY, options, KNOWN);
  const services = servicesOf(FACTORY, options, false);
  const members = tokenProviderMembers(FACTORY, options);
  const { id, origins, headerName, scheme } = members;
  const grant = grantOf(options);
  const place = { providerId: id, origins, secrets: services.secrets };
  const settings = clientSettings(FACTORY, grant.client, place);
  const client = new TokenClient(settings, { interactive: false }, services.outbound, services.clock);
  const obtain = grant.obtain(client, services);
  const tokens = new SharedTokens({
    services,
    providerId: id,
    origins: origins ?? [],
    headerName,
    scheme,
    timeoutMs: settings.timeoutMs,
    assumedLifetimeMs: settings.assumedLifetimeMs,
  });
  const qualifiers = tokenQualifiers(grant.client, options);
  const wanted = ({ resource, presence }: CredentialRequest): Wanted => {
    const { zoneId } = resource;
    const key: TokenKey = { zoneId, providerId: id, qualifiers };
    return { key, obtain: () => obtain(zoneId), presence };
  };
  return Object.freeze({
    id,
    kind: 'oauth2_client_credentials' as const,
    origins,
    headerNames: Object.freeze([headerName.toLowerCase()]),
    renewable: true,
    attach: (request: CredentialRequest): Awaitable<Credential | Denial> => tokens.get(wanted(request)),
    renew: (request: CredentialRequest, refused: Credential) => tokens.renew(wanted(request), refused),
    probe: (zoneId: string): Promise<Probe> => probed(() => obtain(zoneId)),
  });
}

interface Grant {
  readonly client: ClientOptions;
  readonly obtain: (client: TokenClient, services: Services) => (zoneId: string) => Promise<TokenSet>;
}

function grantOf(options: ClientCredentialsOptions): Grant {
  const { grant = 'client_credentials', assertion, installationId } = options;
  if (assertion !== undefined && grant !== 'jwt_bearer')
    throw new TypeError(`${FACTORY}: assertion is of grant jwt_bearer`);
  if (installationId !== undefined && grant !== 'github_app') {
    throw new TypeError(`${FACTORY}: installationId is of grant github_app`);
  }
  if (grant !== 'client_credentials' && options.privateKey === undefined) {
    throw new TypeError(`${FACTORY}: grant ${grant} needs privateKey`);
  }
  switch (grant) {
    case 'client_credentials':
      return {
        client: options,
        obtain: (client) => (zoneId) => client.request(zoneId, 'client_credentials', client.commonParameters()),
      };
    case 'jwt_bearer': {
      const settings = assertionSettings(FACTORY, assertion);
      return {
        // The assertion is the authorization; most servers want no other proof of the client with it.
        client: { ...options, clientAuthentication: options.clientAuthentication ?? withoutProof(options) },
        obtain: (client) => (zoneId) =>
          client.request(zoneId, JWT_BEARER_GRANT, (server) => assertionParameters(client, settings, server, zoneId)),
      };
    }
    case 'github_app': {
      const installation = installationIdOf(FACTORY, installationId);
      return {
        client: {
          ...options,
          tokenEndpoint: options.tokenEndpoint ?? GITHUB_API,
          clientAuthentication: 'private_key_jwt',
        },
        obtain:
          (client, { clock }) =>
          (zoneId) =>
            installationToken(client, installation, zoneId, clock.now()),
      };
    }
    default:
      throw new TypeError(`${FACTORY}: grant is client_credentials, jwt_bearer or github_app`);
  }
}

function withoutProof({ clientSecret }: ClientCredentialsOptions): 'client_secret_basic' | 'none' {
  return clientSecret === undefined ? 'none' : 'client_secret_basic';
}

/** Everything that would make another token of it: a changed configuration does not find the old one. */
function tokenQualifiers(
  client: ClientOptions,
  { grant, assertion, installationId }: ClientCredentialsOptions,
): readonly string[] {
  const { issuer, tokenEndpoint, clientId, scopes, audience, resource, extraParameters } = client;
  const parts = {
    grant,
    assertion,
    installationId: installationId?.toString(),
    issuer,
    tokenEndpoint,
    scopes,
    audience,
    resource,
    extraParameters,
  };
  return Object.freeze([clientId, JSON.stringify(parts)]);
}
