import { generateSealingKey, memoryConnectionStore, memoryTokenCache } from '@caracal/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from './authorization-server.js';
import { startGatewayProcess } from './served-stores.js';

let server: AuthorizationServer;

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: () => [
      {
        client_id: 'machine',
        client_secret: CLIENT_SECRET,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
  });
});

afterAll(() => server.close());

describe('two gateways in processes of their own', () => {
  it('make one token request for 200 calls on a cold cache they share', async () => {
    const config = {
      issuer: server.issuer,
      clientId: 'machine',
      clientSecret: CLIENT_SECRET,
      sealingKey: generateSealingKey().reveal(),
    };
    const stores = { tokenCache: memoryTokenCache(), connections: memoryConnectionStore() };
    const both = await Promise.all([startGatewayProcess(config, stores), startGatewayProcess(config, stores)]);
    const tokens = (await Promise.all(both.map((each) => each.ask(100)))).flat();
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[\w-]{20,}$/);
    expect(server.tokenRequests).toHaveLength(1);
    for (const each of both) each.kill();
    await Promise.all(both.map(({ ended }) => ended));
  });
});
