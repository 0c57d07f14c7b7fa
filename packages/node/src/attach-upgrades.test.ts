import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { attachUpgrades, type UpgradeOptions } from './attach-upgrades.js';
import { FakeGateway, refusal } from './testing/fake-gateway.js';
import { FakeTransport } from './testing/fake-transport.js';
import { RawClient } from './testing/raw-client.js';

const WEBSOCKET = ['Connection: Upgrade', 'Upgrade: websocket'];

let server: Server;
const clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  server.close();
  await once(server, 'close');
});

/** A framework's server, whose WebSockets the gateway refuses with 403. */
async function framework(options: Partial<UpgradeOptions> = {}) {
  server = createServer((req, res) => res.end(`the framework answers ${req.url}`));
  const gateway = new FakeGateway(() => refusal(403));
  attachUpgrades(server, gateway.asGateway, { transport: new FakeTransport(), ...options });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new RawClient((server.address() as AddressInfo).port);
  clients.push(client);
  return { client, gateway };
}

describe('attachUpgrades', () => {
  it('has WebSockets decided by the gateway, and closes the connection after its answer', async () => {
    const { client, gateway } = await framework();
    client.get('/feed', ...WEBSOCKET).get('/behind');
    expect(await client.end()).toMatch(/^HTTP\/1\.1 403 .*\r\nConnection: close\r\n/s);
    expect(client.answers).toHaveLength(1);
    expect(gateway.heads.map(({ target, upgrade }) => [target, upgrade])).toEqual([['/feed', true]]);
  });

  it('leaves ordinary requests to the framework, also those that ask for another protocol', async () => {
    const { client, gateway } = await framework();
    client.get('/plain');
    await client.until('/plain');
    client.get('/h2c', 'Connection: Upgrade', 'Upgrade: h2c');
    await client.until('/h2c');
    expect(gateway.heads).toEqual([]);
  });

  it('leaves the upgrades it does not accept to the other listeners', async () => {
    const { client, gateway } = await framework({ accepts: (req) => req.url !== '/own' });
    server.on('upgrade', (req, socket) => {
      if (req.url === '/own') socket.end('HTTP/1.1 418 Own\r\nContent-Length: 0\r\n\r\n');
    });
    client.get('/own', ...WEBSOCKET);
    expect(await client.end()).toMatch(/^HTTP\/1\.1 418 /);
    expect(gateway.heads).toEqual([]);
  });

  it('answers no WebSocket in place of what the framework is still answering', async () => {
    const { client, gateway } = await framework();
    server.removeAllListeners('request').on('request', () => {});
    client.get('/slow').get('/feed', ...WEBSOCKET);
    expect(await client.end()).toBe('');
    expect(gateway.heads).toEqual([]);
  });

  it('names what is unknown or missing', async () => {
    await framework();
    const attach = (options: object) => attachUpgrades(server, new FakeGateway().asGateway, options as UpgradeOptions);
    expect(() => attach({})).toThrow(/"transport" is missing/);
    expect(() => attach({ transport: new FakeTransport(), accept: true })).toThrow(/Unknown option "accept"/);
  });
});
