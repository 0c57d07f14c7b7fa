import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  type MemoryAuditSink,
  memoryAuditSink,
  memoryRevocationStore,
  type RevocationStore,
  Secret,
} from '@caracal/core';
import { createTokenService, type TokenService, type TokenServiceOptions } from '@caracal/sts';
import { exportJWK, generateKeyPair } from 'jose';
import { RESOURCE } from '../gateway/fake-world.js';

export const OTHER_RESOURCE = 'resource://ledger-api';
/** With every kind of character that form encoding changes. */
export const AGENT_SECRET = 'agent:secret %+&=/ä-canary-41c9';
export const GATEWAY_SECRET = 'gateway-secret-canary-88ab';

/** A token service behind a real server. */
export interface ServedTokenService {
  readonly issuer: string;
  readonly service: TokenService;
  readonly audit: MemoryAuditSink;
  readonly revocations: RevocationStore;
  /** Signs the assertions of application `signer`. */
  readonly signerKey: CryptoKey;
  close(): Promise<void>;
}

/** The two ways a token service is asked: `node:http` itself, and a request of web standards. */
export type Way = 'listener' | 'handler';

/** Serves one with three applications: `agent` and `gateway` with a secret, `signer` with a key. */
export async function serveTokenService(
  changes: Partial<TokenServiceOptions> = {},
  way: Way = 'listener',
): Promise<ServedTokenService> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const audit = memoryAuditSink();
  const revocations = memoryRevocationStore();
  const signer = await generateKeyPair('ES256', { extractable: true });
  const service = await createTokenService({
    issuer,
    resources: [
      { identifier: RESOURCE, scopes: ['billing:read', 'billing:submit'], gatewayApplication: 'gateway' },
      { identifier: OTHER_RESOURCE, scopes: ['billing:read', 'ledger:read'] },
    ],
    applications: [
      {
        id: 'agent',
        secret: new Secret(AGENT_SECRET),
        grants: [
          { resource: RESOURCE, scopes: ['billing:read', 'billing:submit'] },
          { resource: OTHER_RESOURCE, scopes: ['billing:read', 'ledger:read'] },
        ],
      },
      { id: 'gateway', secret: new Secret(GATEWAY_SECRET), grants: [] },
      {
        id: 'signer',
        publicKeys: [{ ...(await exportJWK(signer.publicKey)), kid: 'signer-1' }],
        grants: [{ resource: RESOURCE, scopes: ['billing:read'] }],
      },
    ],
    revocations,
    audit: { sink: audit },
    ...changes,
  });
  server.on('request', (request, response) =>
    way === 'listener' ? void service.listener(request, response) : void answer(service, issuer, request, response),
  );
  return {
    issuer,
    service,
    audit,
    revocations,
    signerKey: signer.privateKey,
    close: async () => {
      await service.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  service: TokenService,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  const request = new Request(origin + incoming.url, {
    method: incoming.method ?? 'GET',
    headers: incoming.headers as Record<string, string>,
    ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' } : undefined),
  } as RequestInit);
  const response = await service.handler(request, { peer: incoming.socket.remoteAddress ?? 'unknown' });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
