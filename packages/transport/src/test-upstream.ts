import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { AddressPolicy, Channel, Plan, Transport, TransportFailure, TransportHandler } from '@caracal/core';

/** A loopback server for tests, scripted by the byte. */
export interface TestUpstream {
  readonly origin: string;
  readonly port: number;
  /** Every connection accepted so far. */
  readonly sockets: Socket[];
  close(): Promise<void>;
}

/** Starts a server that hands each connection, with its number from 0, to the script. */
export async function testUpstream(script: (socket: Socket, number: number) => void): Promise<TestUpstream> {
  return serve(createServer(), 'http', script);
}

/** Lets a server of any kind listen on a free loopback port. */
export async function serve(
  server: Server,
  scheme: 'http' | 'https',
  script: (socket: Socket, number: number) => void,
): Promise<TestUpstream> {
  const sockets: Socket[] = [];
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}); // A reset by the side under test is part of many scripts.
    socket.on('close', () => open.delete(socket));
  });
  server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    script(socket, sockets.length - 1);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${scheme}://127.0.0.1:${port}`,
    port,
    sockets,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Calls back with each complete head (without a body) that arrives, and its number on this connection from 0. */
export function onRequestHead(socket: Socket, callback: (head: string, number: number) => void): void {
  let text = '';
  let number = 0;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end + 4);
      text = text.slice(end + 4);
      callback(head, number++);
    }
  });
}

/** An answer with a short body. */
export function answer(body: string, status = '200 OK', headers = ''): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Allows the addresses given, every one by default. */
export function policy(addresses?: readonly string[]): AddressPolicy {
  return {
    key: addresses === undefined ? 'every' : `only ${addresses.join(' ')}`,
    allows: (address) => addresses === undefined || addresses.includes(address),
  };
}

/** A plan to `GET /`, changed as said. */
export function planTo(origin: string, changes: Partial<Plan> = {}): Plan {
  return {
    method: 'GET',
    origin,
    target: '/',
    headers: ['Host', new URL(origin).host],
    framing: 'none',
    limits: {
      connectTimeoutMs: 5_000,
      headersTimeoutMs: 5_000,
      idleTimeoutMs: 5_000,
      streamIdleTimeoutMs: 5_000,
      maxBodyBytes: Number.POSITIVE_INFINITY,
    },
    addressPolicy: policy(),
    tls: undefined,
    ...changes,
  };
}

/** What a recorded attempt has seen. */
export class Recording implements TransportHandler {
  readonly events: string[] = [];
  readonly chunks: Uint8Array[] = [];
  reused: boolean | undefined;
  sentBytes = 0;
  status: number | undefined;
  headers: string[] = [];
  failure: TransportFailure | undefined;
  channel: Channel | undefined;
  /** Resolves with the recording at the last event. */
  readonly over: Promise<this>;
  readonly #waits = new Map<string, () => void>();
  #finish: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => {
      this.#finish = () => resolve(this);
    });
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** Resolves when an event of this name has come. */
  seen(event: string): Promise<void> {
    if (this.events.includes(event)) return Promise.resolve();
    return new Promise((resolve) => this.#waits.set(event, resolve));
  }

  onStart(reused: boolean): void {
    this.reused = reused;
    this.#note('start');
  }

  onBodyBytes(count: number): void {
    this.sentBytes += count;
    if (this.events.at(-1) !== 'body') this.#note('body');
  }

  onSent(): void {
    this.#note('sent');
  }

  onInterim(status: number, headers: string[]): void {
    this.#note(`interim ${status} ${headers.join(' ')}`);
  }

  onHead(status: number, headers: string[]): void {
    this.status = status;
    this.headers = headers;
    this.#note('head');
  }

  onSwitch(headers: string[], upstream: Channel): void {
    this.status = 101;
    this.headers = headers;
    this.channel = upstream;
    this.#note('switch');
  }

  onChunk(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    if (this.events.at(-1) !== 'chunk') this.#note('chunk');
    return true;
  }

  onEnd(): void {
    this.#note('end');
    this.#finish();
  }

  onFailure(failure: TransportFailure): void {
    this.failure = failure;
    this.#note(`failure ${failure.kind}`);
    this.#finish();
  }

  #note(event: string): void {
    this.events.push(event);
    this.#waits.get(event)?.();
  }
}

/** Sends a plan and waits for its last event. */
export function send<Body>(transport: Transport<Body>, plan: Plan, body: Body | null = null): Promise<Recording> {
  const recording = new Recording();
  transport.dispatch(plan, body, recording);
  return recording.over;
}
