import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy-3';
import { serve } from '../serve.mjs';

await serve(({ upstreamUrl }) => {
  const proxy = httpProxy.createProxyServer({ target: upstreamUrl, agent: new Agent({ keepAlive: true }) });
  proxy.on('error', (_error, _req, res) => res.destroy());
  return createServer((req, res) => proxy.web(req, res));
});
