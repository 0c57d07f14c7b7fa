import {
  type ConnectionKey,
  type ConnectionStore,
  type ListedConnections,
  type ReplayStore,
  refuseUnknownOptions,
} from '@caracal/core';
import { probeInteractive } from '../client/probe-client.js';
import { type Probe, probed } from '../probe.js';
import { type OAuthServices, SERVICE_OPTIONS, servicesOf } from '../services.js';
import type { AuthorizationCodeProvider } from '../user/authorization-code.js';
import type { ConnectableProvider } from '../user/connectable-provider.js';
import type { Disconnection } from '../user/connections.js';
import { ConnectHandler } from './connect-handler.js';
import { ConnectInputError } from './connect-input-error.js';
import type { ConnectLinks } from './links.js';
import { ConnectSessions } from './session.js';
import { type SignInOptions, signInOf } from './sign-in.js';

/** Options of {@link createConnectService}. `sealing` is needed. */
export interface ConnectServiceOptions extends Omit<OAuthServices, 'tokenCache'> {
  readonly links: ConnectLinks;
  readonly providers: readonly AuthorizationCodeProvider[];
  /** Knows which states and invitations have been used; shared by all processes that host these pages. */
  readonly replays: ReplayStore;
  /** Where subjects sign in, by the issuer of their mandates. Subjects of other issuers need an invitation. */
  readonly signIn?: readonly SignInOptions[];
}

/** What can be told of a connection. */
export interface ConnectionStatus {
  readonly connectionId: string;
  /** ISO 8601, UTC. */
  readonly connectedAt: string | undefined;
  /** ISO 8601, UTC: when the access token ends. */
  readonly expiresAt: string | undefined;
  readonly scope: string | undefined;
  /** `lost`: it has to be connected anew. `unreadable`: no key of the ring opens it for its owner and the provider's origins. */
  readonly state: 'connected' | 'lost' | 'unreadable';
  /** It renews itself. */
  readonly renewable: boolean;
}

/** One connection of a list. */
export interface ListedConnection {
  readonly key: ConnectionKey;
  /** `undefined`: no provider here is the connection's. */
  readonly status: ConnectionStatus | undefined;
}

/** Hosts the pages where people connect accounts, and what administrators do about connections. */
export interface ConnectService {
  /** Answers a request to a connect page; `undefined` where the path is none. `peer`: its address, for records. Never rejects. */
  handler(request: Request, from?: { readonly peer?: string }): Promise<Response | undefined>;
  /** An address that connects without signing in, once. For administrators alone. @throws ConnectInputError; OAuthFault where it cannot be recorded */
  invite(of: ConnectionKey & { readonly ttlSeconds?: number }): Promise<string>;
  /** @throws ConnectInputError for an unknown provider; what the store throws */
  status(key: ConnectionKey): Promise<ConnectionStatus | undefined>;
  /**
   * Every connection whose key is `wanted`, default all. What is connected meanwhile may be missing.
   *
   * @throws TypeError where the store cannot tell whose connections it holds (`ListedConnections`); what the store throws
   */
  list(wanted?: (key: ConnectionKey) => boolean): AsyncIterable<ListedConnection>;
  /** Removes the connection and revokes its tokens upstream where that can be done. @throws ConnectInputError for an unknown provider */
  disconnect(key: ConnectionKey): Promise<Disconnection>;
  /** Asks every place where people sign in, for real, by its issuer; for `caracal check`. Never rejects. */
  probeSignIn(zoneId: string): Promise<ReadonlyMap<string, Probe>>;
}

const FACTORY = 'createConnectService';
const KNOWN = [...SERVICE_OPTIONS.filter((name) => name !== 'tokenCache'), 'links', 'providers', 'replays', 'signIn'];

/**
 * Makes the connect service.
 *
 * @throws TypeError at creation, also where two providers or two places to sign in have one redirect URI: a code meant for one server
 *   must not be redeemed at another. @see RFC 9700 section 4.4.2
 */
export function createConnectService(options: ConnectServiceOptions): ConnectService {
  refuseUnknownOptions(FACTORY, options, KNOWN);
  const { links, replays, providers, signIn = [] } = options;
  if (typeof links?.open !== 'function') throw new TypeError(`${FACTORY}: links is made by connectLinks()`);
  if (typeof replays?.use !== 'function') throw new TypeError(`${FACTORY}: replays is a ReplayStore`);
  const services = servicesOf(FACTORY, options, true);
  const byId = new Map<string, ConnectableProvider>();
  for (const { connectable } of providers) {
    if (byId.has(connectable.id)) throw new TypeError(`${FACTORY}: two providers have the id ${connectable.id}`);
    byId.set(connectable.id, connectable);
  }
  const signIns = signIn.map((entry) => signInOf(FACTORY, entry, links, services));
  requireDistinct(
    'issuer of signIn',
    signIns.map(({ issuer }) => issuer),
  );
  requireDistinct(
    'redirectUri',
    [...byId.values(), ...signIns].map(({ redirectUri }) => redirectUri),
  );
  const sessions = new ConnectSessions(services.box, services.clock, links.publicUrl);
  const handler = new ConnectHandler({ links, sessions, services, replays, providers: byId, signIns });

  function providerOf({ providerId }: ConnectionKey): ConnectableProvider {
    const provider = byId.get(providerId);
    if (provider === undefined) {
      throw new ConnectInputError(`there is no provider ${providerId} that people connect to`);
    }
    return provider;
  }

  async function* list(wanted: (key: ConnectionKey) => boolean = () => true): AsyncGenerator<ListedConnection> {
    const stores = new Set([...byId.values()].map(({ connections }) => connections.store));
    for (const store of stores) {
      if (!isListed(store)) throw new TypeError('the connection store cannot tell whose connections it holds');
      for await (const key of store.keys()) {
        if (!wanted(key)) continue;
        const provider = byId.get(key.providerId);
        if (provider === undefined) yield { key, status: undefined };
        else if (provider.connections.store === store) {
          const status = await statusOf(provider, key);
          if (status !== undefined) yield { key, status };
        }
      }
    }
  }

  return Object.freeze({
    handler: (request: Request, from?: { readonly peer?: string }) => handler.handle(request, from?.peer),
    invite: async ({ zoneId, providerId, owner, ttlSeconds }: ConnectionKey & { readonly ttlSeconds?: number }) => {
      const provider = providerOf({ zoneId, providerId, owner });
      if (owner === 'shared' && !provider.shared) {
        throw new ConnectInputError(`${providerId} allows no shared connection`);
      }
      const key = { zoneId, providerId, owner };
      const link = await links.invitation({ ...key, ...(ttlSeconds !== undefined && { ttlSeconds }) });
      // Whoever opens it connects an account: it is not handed out unless that is on record.
      await services.evidence.required('connection.invited', key, { initiator: 'administrator' });
      return link;
    },
    status: async (key: ConnectionKey) => statusOf(providerOf(key), key),
    list,
    disconnect: async (key: ConnectionKey) =>
      providerOf(key).connections.disconnect(key, { initiator: 'administrator' }),
    probeSignIn: async (zoneId: string) => {
      const probes = signIns.map(async ({ issuer, client, redirectUri }): Promise<[string, Probe]> => {
        const request = { client, redirectUri, scopeParameter: 'scope', extra: [], withNonce: true };
        return [issuer, await probed(() => probeInteractive(request, zoneId))];
      });
      return new Map(await Promise.all(probes));
    },
  });
}

async function statusOf(
  { connections }: ConnectableProvider,
  key: ConnectionKey,
): Promise<ConnectionStatus | undefined> {
  const looked = await connections.look(key);
  if (looked === undefined) return undefined;
  const { id: connectionId, tokens } = looked;
  if (tokens === undefined) {
    const unknown = { connectedAt: undefined, expiresAt: undefined, scope: undefined };
    return { connectionId, ...unknown, state: 'unreadable', renewable: false };
  }
  const { connectedAtMs, expiresAtMs, scope, lost, refreshToken } = tokens;
  return {
    connectionId,
    connectedAt: new Date(connectedAtMs).toISOString(),
    expiresAt: expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString(),
    scope,
    state: lost ? 'lost' : 'connected',
    renewable: refreshToken !== undefined,
  };
}

function isListed(store: ConnectionStore): store is ListedConnections {
  return 'keys' in store && typeof store.keys === 'function';
}

function requireDistinct(what: string, texts: readonly string[]): void {
  const seen = new Set<string>();
  for (const text of texts) {
    if (seen.has(text)) throw new TypeError(`${FACTORY}: two have the ${what} ${text}`);
    seen.add(text);
  }
}
