import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';

/** One request as an upstream saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  bodyBytes: number;
}

/** A local stand-in for a real API that records what reached it. */
export interface StandIn {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/** Starts a stand-in. `answer` is given the request with its body unread. */
export async function startStandIn(answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<StandIn> {
  const seen: SeenRequest[] = [];
  const server = createServer((req, res) => {
    const request = { method: req.method ?? '', url: req.url ?? '', rawHeaders: req.rawHeaders, bodyBytes: 0 };
    seen.push(request);
    const { push } = req;
    req.push = (chunk, encoding) => {
      if (chunk !== null) request.bodyBytes += chunk.length;
      return push.call(req, chunk, encoding);
    };
    answer(req, res);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Values of one header, in order. */
export function headerValues(request: SeenRequest, name: string): string[] {
  return request.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]!.toLowerCase() === name);
}

/** The upstream saw its own credential exactly once in each request, and the mandate nowhere. */
export function expectOwnCredentialOnly(upstream: StandIn, header: string, value: string, mandate: string): void {
  expect(upstream.seen.length).toBeGreaterThan(0);
  for (const request of upstream.seen) {
    expect(headerValues(request, header)).toEqual([value]);
    expect(request.rawHeaders.filter((text) => text === value)).toHaveLength(1);
    expect(JSON.stringify(request)).not.toContain(mandate);
  }
}
