// A gateway for the HTTP suite, under whatever runtime this program is started with: `subject.mjs ADAPTER`.
import { createServer } from 'node:http';
import { gatewayStarter, serveSubject } from '@caracal/testkit';

const DRAIN_TIMEOUT_MS = 1_000;
const PROTECTED = { resource: 'resource://notes' };

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
  'protect-node': async () => protectedService(await import('@caracal/node')),
  'protect-deno': async () => protectedService(await import('@caracal/deno')),
  'protect-deno-serve': async () => {
    const { denoProtect } = await import('@caracal/deno');
    return started((gateway, port) => {
      const server = Deno.serve(
        { hostname: '127.0.0.1', port, onListen() {} },
        denoProtect(gateway, PROTECTED, webAnswer),
      );
      return { port: server.addr.port, close: () => server.shutdown() };
    });
  },
  'protect-bun': async () => {
    const { protect } = await import('@caracal/fetch');
    return started((gateway, port) => {
      const guard = protect(gateway, PROTECTED);
      const server = Bun.serve({
        hostname: '127.0.0.1',
        port,
        development: false,
        fetch: (request, connections) =>
          guard(request, webAnswer, { peerAddress: connections.requestIP(request)?.address ?? '' }),
      });
      return { port: server.port, close: () => server.stop(true) };
    });
  },
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

/** A service that answers by itself, with what it was told of the caller and what it got. */
function protectedService({ admittedOf, attachApplication, httpServerOptions, protect }) {
  return (gateway) => {
    const guard = protect(gateway, PROTECTED);
    const server = createServer(httpServerOptions());
    const attachment = attachApplication(server, gateway, (req, res) =>
      guard(req, res, async () => {
        let bytes = 0;
        for await (const chunk of req) bytes += chunk.length;
        res.end(answerText(admittedOf(req), bytes));
      }),
    );
    return Object.assign(server, attachment);
  };
}

async function webAnswer(request, admitted) {
  return new Response(answerText(admitted, (await request.arrayBuffer()).byteLength));
}

function answerText({ principal: { subject, sessionId } }, bytes) {
  return JSON.stringify({ subject, sessionId, bytes });
}
