import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { Secret } from '@caracal/core';
import { listen } from './listen.js';

/** A request as the billing API saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Stands in for an API that demands its own key, and keeps what reached it (the last 1,000 requests). */
export async function startBillingApi(key: Secret) {
  const seen: SeenRequest[] = [];
  const server = createServer((req, res) => {
    seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers });
    if (seen.length > 1000) seen.shift();
    req.resume();
    if (req.headers['x-api-key'] !== key.reveal()) {
      res.writeHead(401, { 'Content-Type': 'application/json' }).end('{"message":"no valid API key"}\n');
      return;
    }
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.end(`{"invoice":${JSON.stringify(req.url?.split('/').at(-1))},"amount":4200,"currency":"EUR"}\n`);
  });
  const url = await listen(server);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, seen, close };
}
