import { join } from 'node:path';
import { apiKey, createGateway, type GatewayOptions, Secret } from '@caracal/core';
import { fileRevocationStore, type JournalOptions, openJournal } from '@caracal/file';
import { createServer } from '@caracal/node';
import { createTestIssuer } from '@caracal/testkit';
import { startBillingApi } from './stand-ins/billing-api.js';
import { listen } from './stand-ins/listen.js';

/** A gateway in front of one API that demands a key. The agent never sees that key. */
export async function startFirstGateway(
  stateDirectory: string,
  changes: Partial<GatewayOptions> = {},
  journalChanges: Partial<JournalOptions> = {},
) {
  // Chained and signed evidence. First, because it refuses a directory that another process owns.
  const journal = await openJournal({ directory: join(stateDirectory, 'audit'), ...journalChanges });
  const key = new Secret(crypto.randomUUID()); // in your code: from a sealed configuration or a vault
  const upstream = await startBillingApi(key);
  const issuer = await createTestIssuer(); // in your code: whoever signs your agents' mandates
  const revocations = await fileRevocationStore({ directory: stateDirectory });

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
    audit: { sink: journal },
    ...changes,
  });
  const server = createServer(gateway);
  const url = await listen(server);

  async function close() {
    await server.drain(); // answers what is under way first
    await Promise.all([journal.close(), revocations.close(), upstream.close()]);
  }
  return { url, issuer, upstream, journal, revocations, close };
}
