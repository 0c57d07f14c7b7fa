import type { Socket } from 'node:net';

const MAX_LINE_BYTES = 512 * 1024;

/**
 * Pulls bytes from a socket. Reads only when asked to, so that whoever does not ask exerts back-pressure on the peer.
 * At the end of the stream, however it came, there are simply no more bytes; `wasReset` tells a reset from an end.
 */
export class SocketReader {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #over = false;
  #wasReset = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const wake = () => this.#wake?.();
    const over = () => {
      this.#over = true;
      wake();
    };
    socket.on('readable', wake);
    socket.on('end', over);
    socket.on('close', over);
    socket.on('error', () => {
      this.#wasReset = true;
      over();
    });
  }

  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Waits for more bytes than are buffered now; false at the end of the stream. */
  async fill(): Promise<boolean> {
    for (;;) {
      const chunk: Buffer | null = this.#socket.read();
      if (chunk !== null) {
        this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
        return true;
      }
      if (this.#over) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits until there is anything to read; false at the end of the stream. */
  async more(): Promise<boolean> {
    return this.#buffer.length > 0 || this.fill();
  }

  /** One to `maxBytes` bytes; `undefined` at the end. */
  async some(maxBytes = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    if (!(await this.more())) return undefined;
    return this.#take(Math.min(maxBytes, this.#buffer.length));
  }

  /** Exactly so many bytes; `undefined` where the stream ends before them. */
  async exactly(bytes: number): Promise<Buffer | undefined> {
    while (this.#buffer.length < bytes) if (!(await this.fill())) return undefined;
    return this.#take(bytes);
  }

  /** Everything up to and with `marker`; `undefined` where the stream ends before it. */
  async through(marker: string): Promise<Buffer | undefined> {
    for (;;) {
      const at = this.#buffer.indexOf(marker, 0, 'latin1');
      if (at !== -1) return this.#take(at + marker.length);
      if (this.#buffer.length > MAX_LINE_BYTES) throw new Error(`no end of line within ${MAX_LINE_BYTES} bytes`);
      if (!(await this.fill())) return undefined;
    }
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }
}
