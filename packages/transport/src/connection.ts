import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import type { ResolvedTransportOptions } from './options.js';

/** The most bytes of names and values a response's head may have. */
export const MAX_RESPONSE_HEADER_BYTES = 64 * 1024;

// Taken off the upstream's `Keep-Alive: timeout` hint, so that it is never the upstream that closes first.
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** One request in undici's terms. `servername` is missing from its types; without it undici takes the Host header's. */
export type ConnectionRequest = Dispatcher.DispatchOptions & { readonly servername: string };

/** The socket closed before the request given to it was written. */
class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError';

  constructor() {
    super('the connection was closed before the request was written');
  }
}

/**
 * What requests on a connection closed by this side end with. One for all, its stack told beforehand: a revocation closes
 * thousands at once, and to capture and print as many stacks takes longer than to close as many sockets.
 */
const CLOSED: Error = Object.assign(new Error('the connection was closed'), { stack: 'the connection was closed' });

/**
 * One connected socket that speaks HTTP/1.1, one request at a time. An undici client of its own, which never connects
 * again: that is how it is known which request uses which connection, and whether one has served before.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #client: Client;
  readonly #onFree: (connection: Connection) => void;
  /** Requests begun on this connection. */
  served = 0;

  constructor(
    origin: string,
    socket: Socket,
    options: ResolvedTransportOptions,
    onFree: (connection: Connection) => void,
  ) {
    this.#socket = socket;
    this.#onFree = onFree;
    let taken = false;
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      // Deadlines belong to the drive, which knows whose turn it is; these two would cut an upload that progresses.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      keepAliveMaxTimeout: options.keepAliveMaxTimeoutMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      connect: (_options, callback) => {
        const stale = taken;
        taken = true;
        // Later, because undici's queue would not go on after a callback from within.
        queueMicrotask(() => (stale ? callback(new StaleConnectionError(), null) : callback(null, socket)));
      },
    });
  }

  /** Whether it can serve another request, as far as is known. */
  get usable(): boolean {
    return !this.#socket.destroyed;
  }

  /** Whether the socket ended with an error, such as a reset. */
  get broken(): boolean {
    return this.#socket.errored !== null;
  }

  /** Bytes the upstream has sent on it so far. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** Gives it a request; the handler may be called before this returns. */
  dispatch(request: ConnectionRequest, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(request, handler);
  }

  /** Gives it back where it came from: its request is complete. */
  release(): void {
    this.#onFree(this);
  }

  /** Closes it at once, whatever is under way. Idempotent; resolves when it is closed. */
  close(): Promise<void> {
    // While the client has not met its socket, it would leave it open.
    const closed = this.#client.destroy(CLOSED);
    this.#socket.destroy();
    return closed;
  }
}
