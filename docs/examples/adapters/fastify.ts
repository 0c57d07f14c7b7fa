import { createServer, type Server } from 'node:http';
import type { Gateway } from '@caracal/core';
import { httpServerOptions, nodeHandler } from '@caracal/node';
import Fastify from 'fastify';

/** A Fastify application that answers one path itself and hands everything else to the gateway. */
export async function fastifyServer(gateway: Gateway) {
  const server: Server = createServer(httpServerOptions());
  const caracal = nodeHandler(gateway);
  const app = Fastify({
    serverFactory: (handler) => Object.assign(server, caracal.attach(server, handler)), // adds drain()
    // Fastify would answer by itself what its router cannot read, or follow `//`.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      caracal(request.raw, reply.raw);
    },
  });
  app.get('/healthy', async () => 'healthy');
  // In a hook, not in a route: routes know few methods, and parse bodies.
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    reply.hijack(); // Fastify writes nothing
    caracal(request.raw, reply.raw);
  });
  await app.ready();
  return server as Server & ReturnType<typeof caracal.attach>;
}
