import type { AddressInfo } from 'node:net';
import {
  apiKey,
  bearerToken,
  createGateway,
  type Gateway,
  httpBasic,
  memoryRevocationStore,
  noCredential,
  type Provider,
  presentedMandate,
  Secret,
} from '@caracal/core';
import type { StartSubject, SubjectProvider } from '../subject.js';

/** What an adapter's server has to offer to be put on a port and taken off it again. An `http.Server` with `drain` is one. */
export interface DrainableServer {
  listen(port: number, host: string, listening: () => void): unknown;
  address(): AddressInfo | string | null;
  /** Waits for requests under way, ends those that take longer, and closes. */
  drain(options: { readonly timeoutMs: number }): Promise<unknown>;
}

const DRAIN_TIMEOUT_MS = 1_000;

/** Makes a starter of gateways for the HTTP suite: from its JSON configuration, served by the given adapter. */
export function gatewayStarter(
  createServer: (gateway: Gateway) => DrainableServer | Promise<DrainableServer>,
): StartSubject {
  return async ({ issuers, resources, durability, ...rest }, onRecord) => {
    const revocations = memoryRevocationStore();
    const gateway = createGateway({
      ...rest,
      issuers: issuers.map(({ jwks, ...issuer }) => ({ ...issuer, keys: jwks.keys })),
      resources: resources.map((resource) => ({ ...resource, provider: providerOf(resource.provider) })),
      revocations,
      audit: { sink: { append: (record) => onRecord(record) }, durability },
    });
    const server = await createServer(gateway);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return {
      port: portOf(server),
      revoke: async (anchor) => {
        await revocations.revoke(anchor);
      },
      close: async () => {
        await server.drain({ timeoutMs: DRAIN_TIMEOUT_MS });
      },
    };
  };
}

function portOf(server: DrainableServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server listens on no TCP port');
  return address.port;
}

function providerOf({ kind, secret, ...options }: SubjectProvider): Provider {
  if (kind === 'none') return noCredential(options.id);
  if (kind === 'caracal_mandate') return presentedMandate(options);
  if (secret === undefined) throw new TypeError(`provider ${options.id}: a provider of kind ${kind} has a secret`);
  const revealed = { ...options, secret: new Secret(secret.plain) };
  switch (kind) {
    case 'api_key':
      return apiKey(revealed);
    case 'bearer_token':
      return bearerToken(revealed);
    case 'http_basic':
      return httpBasic({ ...revealed, username: revealed.username ?? '' });
    default:
      throw new TypeError(`provider ${options.id}: the suite has none of kind ${kind}`);
  }
}
