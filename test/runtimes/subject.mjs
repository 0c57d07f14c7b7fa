// A gateway for the HTTP suite, under whatever runtime this program is started with: `subject.mjs ADAPTER`.
import { gatewayStarter, serveSubject } from '@caracal/testkit';

const DRAIN_TIMEOUT_MS = 1_000;

const example = (name) => import(new URL(`../../docs/dist/adapters/${name}.js`, import.meta.url));

const ADAPTERS = {
  node: async () => (await import('@caracal/node')).createServer,
  deno: async () => (await import('@caracal/deno')).createServer,
  koa: async () => (await example('koa')).koaServer,
  express: async () => (await example('express')).expressServer,
  fastify: async () => (await example('fastify')).fastifyServer,
  hono: async () => (await example('hono')).honoServer,
  'deno-serve': async () => started((await example('deno-serve')).denoServer),
  bun: async () => started((await example('bun')).bunServer),
};

await serveSubject(gatewayStarter(await ADAPTERS[process.argv[2]]()));

/** What the suite asks of a server, for runtimes whose servers listen as soon as they are there. */
function started(start) {
  return (gateway) => {
    let server;
    return {
      listen: (port, _host, listening) => {
        server = start(gateway, port);
        listening();
      },
      address: () => ({ port: server.port }),
      drain: () => server.close(DRAIN_TIMEOUT_MS),
    };
  };
}
