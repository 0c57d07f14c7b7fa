import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gate } from '../http/deadline.js';

/** A request as the fake upstream saw it. */
export interface SeenCall {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** What the fake upstream answers; a `body` that is no text goes out as JSON. Default: 200, `{"ok":true}`. */
export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Decides what a call is answered. */
export type FakeApi = (call: SeenCall) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>;

/** An API that keeps what it gets and answers what it is told. */
export interface FakeUpstream {
  readonly url: string;
  readonly calls: readonly SeenCall[];
  /** Answers nothing from now on, until {@link mend}. */
  stall(): void;
  /** Nothing listens from now on, until {@link mend}. */
  die(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one on a free port of loopback. */
export async function startFakeUpstream(api: FakeApi): Promise<FakeUpstream> {
  const calls: SeenCall[] = [];
  let stalled: ReturnType<typeof gate> | undefined;
  const server = createServer((req, res) => {
    void answer(req, res).catch(() => res.destroy()); // what the test's own API threw is an upstream that breaks off
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const call: SeenCall = {
      method: req.method ?? '',
      url: req.url ?? '',
      headers: req.headers,
      body: Buffer.concat(chunks).toString(),
    };
    calls.push(call);
    await stalled?.opened;
    const { status = 200, headers = {}, body = { ok: true } } = (await api(call)) ?? {};
    const isText = typeof body === 'string';
    res.writeHead(status, { 'Content-Type': isText ? 'text/plain' : 'application/json', ...headers });
    res.end(isText ? body : JSON.stringify(body));
  }

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve());
    });
  const close = () =>
    new Promise<void>((resolve) => {
      if (!server.listening) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    stall: () => {
      stalled ??= gate();
    },
    die: close,
    mend: async () => {
      stalled?.open();
      stalled = undefined;
      if (!server.listening) await listen(port);
    },
    close: async () => {
      stalled?.open();
      await close();
    },
  };
}
