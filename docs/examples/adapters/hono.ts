import { createServer, type IncomingMessage } from 'node:http';
import type { Gateway } from '@caracal/core';
import { fetchHandler } from '@caracal/fetch';
import { attachApplication, attachUpgrades, httpServerOptions } from '@caracal/node';
import { undiciTransport, webBodies } from '@caracal/transport';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';

/** A Hono application that answers one path itself and hands everything else to the gateway. */
export function honoServer(gateway: Gateway) {
  const transport = undiciTransport();
  const caracal = fetchHandler(gateway, { transport: webBodies(transport) });
  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  app.get('/healthy', (c) => c.text('healthy'));
  app.all('*', (c) => {
    const { socket, httpVersion } = c.env.incoming;
    return caracal(c.req.raw, { peerAddress: socket.remoteAddress ?? '', httpVersion });
  });
  const server = createServer(httpServerOptions());
  const { drain } = attachApplication(server, gateway, getRequestListener(app.fetch));
  attachUpgrades(server, gateway, { transport }); // Hono does not see WebSockets
  return Object.assign(server, {
    drain: async (options: { readonly timeoutMs: number }) => {
      await drain(options);
      await transport.close();
    },
  });
}
