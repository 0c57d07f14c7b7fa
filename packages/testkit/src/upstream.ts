import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { gate, within } from './http/deadline.js';
import { BodyReader, framingOf, type HeaderField, headerValue, type MessageHead, readHead } from './http/message.js';
import { SocketReader } from './http/socket-reader.js';

/** Header by which a request is told from those of other cases: it passes the gateway like any header of the caller's. */
export const TAG_HEADER = 'X-Case';

/** One request as it arrived. */
export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly HeaderField[];
  /** The exact bytes of the head. */
  readonly head: Buffer;
  /** Which connection, and the how manieth request on it, from 1. */
  readonly connection: { readonly id: number; readonly ordinal: number };
  /** What has arrived of the body, without chunk framing. */
  readonly body: Buffer;
  /** Whether the body ended as its framing says. */
  readonly bodyComplete: boolean;
  /** Resolves when no more of the body will come. */
  readonly bodyEnded: Promise<void>;
  /** Resolves when so many bytes of the body are there. */
  bodyReached(bytes: number): Promise<void>;
  /** Reads nothing more of the body until the returned function is called. */
  holdBody(): () => void;
  /**
   * For an answer that is no HTTP: it reads what follows. To be called before the answer waits for anything. `halfOpen`: the
   * peer's end does not end this side.
   */
  takeOver(options?: { readonly halfOpen?: boolean }): SocketReader;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
}

/** How an answer is written: bytes as they are, nothing added. */
export interface Reply {
  /** Text is latin-1. Resolves when the socket can take more: true, or is gone: false. */
  write(bytes: string | Uint8Array): Promise<boolean>;
  /** Closes in order, after what was written. */
  end(): void;
  /** Closes with a reset. */
  reset(): void;
  /** Bytes given to the socket so far. */
  readonly written: number;
}

/** Answers one request; called when its head is there. */
export type Answer = (request: UpstreamRequest, reply: Reply) => void | Promise<void>;

/** An upstream that keeps what it gets and answers what it is told. */
export interface RecordingUpstream {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** `127.0.0.1:port` */
  readonly host: string;
  /** What requests with this tag are answered. Default: 200, `upstream`. */
  answer(tag: string, answer: Answer): void;
  /** What arrived with this tag so far. */
  requests(tag: string): readonly UpstreamRequest[];
  /** The `count`th request with this tag, waiting for it. */
  arrival(tag: string, count?: number): Promise<UpstreamRequest>;
  /** What arrived without a tag: should be nothing. */
  readonly untagged: readonly UpstreamRequest[];
  /** What went wrong in reading a request or in answering it: should be nothing. */
  readonly faults: readonly unknown[];
  close(): Promise<void>;
}

/** How long {@link RecordingUpstream.arrival} waits, ms. */
export const ARRIVAL_DEADLINE_MS = 3_000;

const DEFAULT_ANSWER: Answer = async (request, reply) => {
  await request.bodyEnded;
  const body = request.method === 'HEAD' ? '' : 'upstream';
  await reply.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\n${body}`);
};

/** Starts one on a free port of loopback. */
export async function startUpstream(): Promise<RecordingUpstream> {
  const answers = new Map<string, Answer>();
  const requests = new Map<string, UpstreamRequest[]>();
  const untagged: UpstreamRequest[] = [];
  const faults: unknown[] = [];
  const sockets = new Set<Socket>();
  let arrived: (() => void)[] = [];
  let connections = 0;

  const record = (request: UpstreamRequest): Answer => {
    const tag = headerValue(request.headers, TAG_HEADER);
    if (tag === undefined) untagged.push(request);
    else requests.set(tag, [...(requests.get(tag) ?? []), request]);
    const waiting = arrived;
    arrived = [];
    for (const wake of waiting) wake();
    return answers.get(tag ?? '') ?? DEFAULT_ANSWER;
  };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    connections += 1;
    serve(socket, connections, record).catch((fault: unknown) => {
      faults.push(fault);
      socket.destroy();
    });
  });
  const port = await listen(server);

  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    answer: (tag, answer) => void answers.set(tag, answer),
    requests: (tag) => requests.get(tag) ?? [],
    untagged,
    faults,
    arrival: (tag, count = 1) => {
      const wait = async (): Promise<UpstreamRequest> => {
        for (;;) {
          const request = requests.get(tag)?.[count - 1];
          if (request !== undefined) return request;
          await new Promise<void>((resolve) => {
            arrived.push(resolve);
          });
        }
      };
      return within(wait(), ARRIVAL_DEADLINE_MS, `request ${count} at the upstream`);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function serve(socket: Socket, id: number, record: (request: UpstreamRequest) => Answer): Promise<void> {
  const reader = new SocketReader(socket);
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  const reply = replyOn(socket, closed);
  for (let ordinal = 1; ; ordinal += 1) {
    const head = await readHead(reader);
    if (head === undefined) return;
    const { request, recordBody, takenOver } = recordedRequest(head, reader, { id, ordinal }, closed, socket);
    const answer = record(request);
    const answering = Promise.resolve(answer(request, reply));
    await recordBody();
    if (takenOver()) return answering;
    // Keeps reading while the answer is made: only a socket that is read tells that its peer has gone.
    const next = reader.more();
    await Promise.race([answering, closed]);
    if (!(await next) || socket.destroyed) return;
  }
}

function replyOn(socket: Socket, closed: Promise<void>): Reply {
  return {
    write: async (bytes) => {
      if (socket.destroyed || !socket.writable) return false;
      const drained = socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      if (drained) return true;
      const drain = new Promise<boolean>((resolve) => {
        socket.once('drain', () => resolve(true));
      });
      return Promise.race([drain, closed.then(() => false)]);
    },
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    get written() {
      return socket.bytesWritten;
    },
  };
}

function recordedRequest(
  head: MessageHead,
  reader: SocketReader,
  connection: UpstreamRequest['connection'],
  closed: Promise<void>,
  socket: Socket,
): { request: UpstreamRequest; recordBody: () => Promise<void>; takenOver: () => boolean } {
  const [method = '', target = '', version = ''] = head.startLine.split(' ');
  const body = new BodyReader(reader, framingOf(head.headers, 'none'));
  const pieces: Buffer[] = [];
  let received = 0;
  let taken = false;
  const waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];
  let ended = (): void => {};
  let held: Promise<void> | undefined;
  const bodyEnded = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const recordBody = async (): Promise<void> => {
    try {
      for (;;) {
        await held;
        const piece = await body.next();
        if (piece === undefined) break;
        pieces.push(piece);
        received += piece.length;
        for (const { bytes, resolve } of waiting) if (received >= bytes) resolve();
      }
    } finally {
      ended();
    }
  };
  const request: UpstreamRequest = {
    method,
    target,
    version,
    headers: head.headers,
    head: head.bytes,
    connection,
    get body() {
      return Buffer.concat(pieces);
    },
    get bodyComplete() {
      return body.complete;
    },
    bodyEnded,
    bodyReached: (bytes) =>
      new Promise((resolve) => {
        if (received >= bytes) resolve();
        else waiting.push({ bytes, resolve });
      }),
    holdBody: () => {
      const { opened, open } = gate();
      held = opened;
      return open;
    },
    takeOver: ({ halfOpen = false } = {}) => {
      taken = true;
      socket.allowHalfOpen = halfOpen;
      return reader;
    },
    closed,
  };
  return { request, recordBody, takenOver: () => taken };
}
