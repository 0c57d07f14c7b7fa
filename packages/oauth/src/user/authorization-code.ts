import {
  type ConnectionStore,
  type Credential,
  type CredentialRequest,
  type Provider,
  refuseUnknownOptions,
} from '@caracal/core';
import { CLIENT_OPTIONS, type ClientOptions, clientSettings, endpointUrl, textOf } from '../client/client-options.js';
import { probeInteractive } from '../client/probe-client.js';
import { extraParameters } from '../client/protocol-parameters.js';
import { TokenClient } from '../client/token-client.js';
import type { ConnectLinks } from '../connect/links.js';
import { type Probe, type Probeable, probed } from '../probe.js';
import { TOKEN_PROVIDER_OPTIONS, type TokenProviderOptions, tokenProviderMembers } from '../provider-members.js';
import { type OAuthServices, SERVICE_OPTIONS, servicesOf } from '../services.js';
import type { ConnectableProvider } from './connectable-provider.js';
import { ConnectedAccounts } from './connected-accounts.js';
import { Connections } from './connections.js';

/** Options of {@link oauth2AuthorizationCode}. */
export interface AuthorizationCodeOptions extends OAuthServices, TokenProviderOptions, ClientOptions {
  readonly connections: ConnectionStore;
  /** Makes the address where a subject connects. */
  readonly connect: ConnectLinks;
  readonly authorizationEndpoint?: string;
  readonly revocationEndpoint?: string;
  /** Parameters of the vendor's own for the authorization request. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** The name under which scopes are asked for. Default `scope`. */
  readonly scopeParameter?: string;
  /** Whether a shared connection may serve subjects that have none of their own. Default false. */
  readonly shared?: boolean;
  /** Where the authorization server sends the browser back to, to the character. Default `<publicUrl>/connect/callback/<name>`. */
  readonly redirectUri?: string;
  /** What the page calls the upstream. Default the id. */
  readonly title?: string;
}

/** A provider whose credential is the connection of whoever the mandate speaks for. */
export interface AuthorizationCodeProvider extends Provider, Probeable {
  /** For `createConnectService`. */
  readonly connectable: ConnectableProvider;
}

const FACTORY = 'oauth2AuthorizationCode';
const OWN_OPTIONS = [
  'connections',
  'connect',
  'authorizationEndpoint',
  'revocationEndpoint',
  'authorizationParameters',
  'scopeParameter',
  'shared',
  'redirectUri',
  'title',
];
const KNOWN = [...SERVICE_OPTIONS, ...TOKEN_PROVIDER_OPTIONS, ...CLIENT_OPTIONS, ...OWN_OPTIONS];

/**
 * A provider that attaches the access token of the account that the mandate's subject has connected: by zone, issuer and subject;
 * where `shared` allows it and the subject has none of its own, that of the shared connection. Without either the answer is
 * `connection_required` with an address to connect at.
 *
 * @throws TypeError at creation. @see RFC 6749 section 4.1, RFC 7636, RFC 9700 section 2.1
 */
export function oauth2AuthorizationCode(options: AuthorizationCodeOptions): AuthorizationCodeProvider {
  refuseUnknownOptions(FACTORY, options, KNOWN);
  const services = servicesOf(FACTORY, options, false);
  const members = tokenProviderMembers(FACTORY, options);
  const { id, origins, headerName, scheme } = members;
  if (typeof options.connections?.get !== 'function')
    throw new TypeError(`${FACTORY}: connections is a ConnectionStore`);
  if (options.sealing === undefined)
    throw new TypeError(`${FACTORY}: sealing is needed: connections outlive the process`);
  if (typeof options.connect?.uriFor !== 'function')
    throw new TypeError(`${FACTORY}: connect is made by connectLinks()`);
  const { authorizationEndpoint, revocationEndpoint, scopeParameter = 'scope', title = id } = options;
  for (const [name, url] of Object.entries({ authorizationEndpoint, revocationEndpoint })) {
    if (url !== undefined) endpointUrl(FACTORY, name, url);
  }
  const place = { providerId: id, origins, revocationEndpoint, secrets: services.secrets };
  const settings = clientSettings(FACTORY, options, place);
  if (settings.issuer === undefined && authorizationEndpoint === undefined) {
    throw new TypeError(`${FACTORY}: give issuer or authorizationEndpoint`);
  }
  const endpoints = { authorizationEndpoint, revocationEndpoint, interactive: true };
  const client = new TokenClient(settings, endpoints, services.outbound, services.clock);
  const connections = new Connections({
    services,
    client,
    store: options.connections,
    providerId: id,
    origins: origins ?? [],
  });
  const connectable: ConnectableProvider = Object.freeze({
    id,
    title: textOf(FACTORY, 'title', title),
    origins,
    shared: options.shared === true,
    client,
    connections,
    redirectUri: endpointUrl(FACTORY, 'redirectUri', options.redirectUri ?? options.connect.callbackUri(id)),
    authorizationParameters: extraParameters(FACTORY, 'authorizationParameters', options.authorizationParameters),
    scopeParameter: textOf(FACTORY, 'scopeParameter', scopeParameter),
  });
  const accounts = new ConnectedAccounts(connectable, services, options.connect, headerName, scheme);
  return Object.freeze({
    id,
    kind: 'oauth2_authorization_code' as const,
    origins,
    headerNames: Object.freeze([headerName.toLowerCase()]),
    renewable: true,
    attach: (request: CredentialRequest) => accounts.attach(request),
    renew: (request: CredentialRequest, refused: Credential) => accounts.renew(request, refused),
    probe: (zoneId: string): Promise<Probe> =>
      probed(() => {
        const { redirectUri, scopeParameter, authorizationParameters: extra } = connectable;
        return probeInteractive({ client, redirectUri, scopeParameter, extra, withNonce: false }, zoneId);
      }),
    connectable,
  });
}
