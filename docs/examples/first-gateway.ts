import {
  apiKey,
  createGateway,
  type GatewayOptions,
  memoryAuditSink,
  memoryRevocationStore,
  Secret,
} from '@caracal/core';
import { createServer } from '@caracal/node';
import { createTestIssuer } from '@caracal/testkit';
import { startBillingApi } from './demo/billing-api.js';
import { listen } from './demo/listen.js';

/** A gateway in front of one API that demands a key. The agent never sees that key. */
export async function startFirstGateway(changes: Partial<GatewayOptions> = {}) {
  const key = new Secret(crypto.randomUUID()); // in your code: from a sealed configuration or a vault
  const upstream = await startBillingApi(key);
  const issuer = await createTestIssuer(); // in your code: whoever signs your agents' mandates
  const audit = memoryAuditSink();
  const revocations = memoryRevocationStore();

  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      {
        identifier: 'resource://billing-api',
        upstreamUrl: upstream.url,
        allowPrivateNetwork: true, // this upstream is on loopback
        scopes: ['billing:read', 'billing:submit'],
        operations: [
          { method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'] },
          { method: 'POST', path: '/v1/invoices', scopes: ['billing:submit'] },
        ],
        provider: apiKey({ id: 'provider://billing', headerName: 'X-Api-Key', secret: key }),
      },
    ],
    revocations,
    audit: { sink: audit },
    ...changes,
  });
  const server = createServer(gateway);
  const url = await listen(server);
  return { url, issuer, upstream, audit, revocations, close: () => Promise.all([server.drain(), upstream.close()]) };
}
