import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request to a stand-in, its form read. */
export interface VendorRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
  readonly text: string;
}

/** What it answers: a status and a document, or text as it is. */
export interface VendorAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
}

/** A vendor played on loopback. */
export interface Vendor {
  readonly origin: string;
  readonly requests: VendorRequest[];
  close(): Promise<void>;
}

/** Starts one. */
export async function startVendor(
  answer: (request: VendorRequest, origin: string) => VendorAnswer | Promise<VendorAnswer>,
): Promise<Vendor> {
  const requests: VendorRequest[] = [];
  const server = createServer((request, response) => void answerOne(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answerOne(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    const asked = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      form: new URLSearchParams(text),
      text,
    };
    requests.push(asked);
    const { status = 200, headers = {}, json, text: body } = await answer(asked, origin);
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
    response.end(body ?? JSON.stringify(json ?? {}));
  }

  return {
    origin,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
