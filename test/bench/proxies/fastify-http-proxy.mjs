import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { serve } from '../serve.mjs';

await serve(async ({ upstreamUrl }) => {
  const app = fastify();
  app.register(httpProxy, { upstream: upstreamUrl });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
});
