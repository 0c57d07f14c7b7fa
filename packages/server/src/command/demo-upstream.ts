import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An API that demands its own key. */
export interface DemoUpstream {
  readonly url: string;
  close(): Promise<void>;
}

/** Stands in for an API that somebody pays for: it answers nobody without its key. */
export async function startDemoUpstream(port: number, key: string): Promise<DemoUpstream> {
  const server = createServer((req, res) => {
    req.resume();
    const isKnown = isEqual(String(req.headers['x-api-key'] ?? ''), key);
    const id = req.url?.split('?')[0]?.split('/').at(-1);
    const answer = isKnown ? { invoice: id, amount: 4200, currency: 'EUR' } : { message: 'no valid API key' };
    res.writeHead(isKnown ? 200 : 401, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(answer)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve());
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
