import { connect, type Socket } from 'node:net';
import { within } from './deadline.js';
import { FramePeer } from './frames.js';
import { type BodyFraming, BodyReader, framingOf, type HeaderField, type MessageHead, readHead } from './message.js';
import { SocketReader } from './socket-reader.js';

/** How long the client waits for anything, ms. */
export const CLIENT_DEADLINE_MS = 4_000;

/** The head of a response as it stood on the wire. */
export interface ResponseHead {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly HeaderField[];
  /** The head and all interim ones before it, as text. */
  readonly text: string;
  readonly interim: readonly { readonly status: number; readonly headers: readonly HeaderField[] }[];
}

/** A whole response. */
export interface RawResponse extends ResponseHead {
  readonly framing: BodyFraming['kind'];
  readonly body: Buffer;
  /** Whether the body ended as its framing says. */
  readonly complete: boolean;
  readonly trailers: readonly string[];
}

/** A connection that sends exactly what it is given and shows exactly what came. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = new SocketReader(socket);
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
  }

  /** Connects to a port of loopback. */
  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const connection = new RawConnection(socket);
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      }),
      CLIENT_DEADLINE_MS,
      'a connection',
    );
    return connection;
  }

  /** Resolves when the peer, or this side, has closed the connection. Needs somebody to read it to its end. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Sends text (latin-1) or bytes; false where the connection is gone. */
  send(bytes: string | Uint8Array): Promise<boolean> {
    const content = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return new Promise((resolve) => {
      if (this.#socket.destroyed) resolve(false);
      else this.#socket.write(content, (error) => resolve(error === undefined || error === null));
    });
  }

  /** The next final head. Interim ones before it are in `interim`. */
  async head(): Promise<ResponseHead> {
    const interim: MessageHead[] = [];
    let text = '';
    for (;;) {
      const head = await within(readHead(this.#reader), CLIENT_DEADLINE_MS, 'the head of a response');
      if (head === undefined) throw new Error(`the connection closed without a response${text && ` after ${text}`}`);
      text += head.bytes.toString('latin1');
      const status = statusOf(head);
      if (status >= 200 || status === 101)
        return { ...statusLine(head), headers: head.headers, text, interim: interim.map(shown) };
      interim.push(head);
    }
  }

  /** The next interim head; fails where a final one comes instead. */
  async interim(): Promise<number> {
    const head = await within(readHead(this.#reader), CLIENT_DEADLINE_MS, 'an interim response');
    if (head === undefined) throw new Error('the connection closed without an interim response');
    if (statusOf(head) >= 200) throw new Error(`a final response instead of an interim one: ${head.startLine}`);
    return statusOf(head);
  }

  /** The body that follows `head`. `method` is the one that was asked with: HEAD has none. */
  body(head: ResponseHead, method = 'GET'): BodyReader {
    return new BodyReader(this.#reader, bodyFraming(head, method));
  }

  /** The next response, whole. */
  async response(method = 'GET'): Promise<RawResponse> {
    const head = await this.head();
    const reader = this.body(head, method);
    const body = await within(reader.rest(), CLIENT_DEADLINE_MS, 'the end of a response');
    const { complete, trailers } = reader;
    return { ...head, framing: bodyFraming(head, method).kind, body, complete, trailers };
  }

  /** Whatever comes before the peer closes the connection. */
  async untilClosed(): Promise<Buffer> {
    return within(new BodyReader(this.#reader, { kind: 'close' }).rest(), CLIENT_DEADLINE_MS, 'the peer to close');
  }

  /** What follows a 101, frame by frame. */
  frames(): FramePeer {
    return new FramePeer(this.#reader, (bytes) => this.send(bytes), true);
  }

  /** Sends nothing more, in order, and goes on reading. */
  end(): void {
    this.#socket.allowHalfOpen = true;
    this.#socket.end();
  }

  /** Goes away with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Goes away without a word. */
  destroy(): void {
    this.#socket.destroy();
  }
}

function bodyFraming(head: ResponseHead, method: string): BodyFraming {
  if (method === 'HEAD' || head.status === 204 || head.status === 304 || head.status === 101) return { kind: 'none' };
  return framingOf(head.headers, 'close');
}

function statusOf(head: MessageHead): number {
  return statusLine(head).status;
}

function shown(head: MessageHead): { status: number; headers: readonly HeaderField[] } {
  return { status: statusOf(head), headers: head.headers };
}

function statusLine({ startLine }: MessageHead): { version: string; status: number; reason: string } {
  const match = /^(HTTP\/\d\.\d) (\d{3})(?: (.*))?$/.exec(startLine);
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(startLine.slice(0, 80))}`);
  return { version: match[1]!, status: Number(match[2]), reason: match[3] ?? '' };
}
