import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import type { Transport } from '@caracal/core';
import type { CreateServerOptions } from '../options.js';
import { createServer, type GatewayServer } from '../server.js';
import type { FakeGateway } from './fake-gateway.js';
import { RawClient } from './raw-client.js';

/** A listening gateway server and clients of it; end it with `stop`. */
export interface Serving {
  readonly server: GatewayServer;
  readonly port: number;
  client(): RawClient;
  stop(): Promise<void>;
}

/** Serves on a free port of the loopback. */
export async function serving(
  gateway: FakeGateway,
  transport: Transport<Readable>,
  options: CreateServerOptions = {},
): Promise<Serving> {
  const server = createServer(gateway.asGateway, { ...options, transport });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clients: RawClient[] = [];
  return {
    server,
    port,
    client() {
      const client = new RawClient(port);
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.socket.destroy();
      await server.drain({ timeoutMs: 1 });
    },
  };
}
