import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AuditRecord,
  bearerToken,
  createGateway,
  memoryAuditSink,
  type ResourceDefinition,
  Secret,
} from '@caracal/core';
import { createTestIssuer } from '@caracal/testkit';
import { type FetchHandlerOptions, fetchHandler } from './fetch-handler.js';

/** The credential that the upstream gets, and nobody else. */
export const KEY = 'key-of-the-upstream';

/** A real upstream, and a handler of requests in front of it that sends by `fetch`. */
export async function fetchWorld(listener: RequestListener) {
  const received: IncomingMessage[] = [];
  let connections = 0;
  const upstream = createServer((req, res) => {
    received.push(req);
    listener(req, res);
  });
  upstream.on('connection', () => {
    connections += 1;
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const issuer = await createTestIssuer();

  /** Sends one request through a gateway that is made for it. */
  async function ask(
    init: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
    changes: Partial<ResourceDefinition> = {},
    options: FetchHandlerOptions = {},
  ) {
    const audit = memoryAuditSink();
    const upstreamUrl = changes.upstreamUrl ?? `http://127.0.0.1:${port}`;
    const provider = bearerToken({
      id: 'provider://up',
      secret: new Secret(KEY),
      origins: [new URL(upstreamUrl).origin],
    });
    const gateway = createGateway({
      issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
      resources: [{ identifier: 'resource://up', allowPrivateNetwork: true, provider, ...changes, upstreamUrl }],
      audit: { sink: audit },
      onFault: () => {},
    });
    const mandate = await issuer.mint({ target: ['resource://up'] });
    const handler = fetchHandler(gateway, options);
    const headers = {
      host: 'gateway.test',
      authorization: `Bearer ${mandate}`,
      'x-caracal-resource': 'resource://up',
      ...init.headers,
    };
    const { body = null } = init;
    const length = body === null ? {} : { 'content-length': String(body.length) };
    const request = new Request('http://gateway.test/v1/x', { ...init, headers: { ...headers, ...length }, body });
    const response = await handler(request, { peerAddress: '127.0.0.1' });
    const text = await response.text().then(
      (whole) => ({ whole }),
      (error: unknown) => ({ error }),
    );
    const records: readonly AuditRecord[] = audit.records();
    await gateway.close({ drainTimeoutMs: 0 });
    await handler.close();
    return { response, text, records, mandate };
  }

  async function close(): Promise<void> {
    upstream.closeAllConnections();
    upstream.close();
    await once(upstream, 'close');
  }
  return { ask, received, port, close, connections: () => connections };
}
