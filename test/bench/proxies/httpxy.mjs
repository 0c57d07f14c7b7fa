import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'httpxy';
import { serve } from '../serve.mjs';

await serve(({ upstreamUrl }) => {
  const proxy = createProxyServer({ target: upstreamUrl, agent: new Agent({ keepAlive: true }) });
  return createServer((req, res) => {
    proxy.web(req, res).catch(() => res.destroy());
  });
});
