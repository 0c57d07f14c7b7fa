import type { Readable } from 'node:stream';

/**
 * The caller's body as undici sees it: listeners go on the body itself, each chunk is counted before it is written, and
 * `destroy` only pauses it.
 *
 * The reason: undici destroys a body as soon as its attempt is over, also where the upstream merely answered early.
 * Destroying an `IncomingMessage` takes the caller's connection with it, or, as undici does it, leaves the message
 * without its socket: either way the answer could not reach the caller, and no attempt could follow.
 */
export class Upload {
  readonly #body: Readable;
  readonly #take: (bytes: number) => boolean;
  #onData: ((chunk: Uint8Array | string) => void) | undefined;
  /** What undici asks of a stream's state: it ends by itself. Without a length here, the plan's framing decides. */
  readonly _readableState = Object.freeze({ autoDestroy: true });

  /** `take` is told the bytes of each chunk before undici is; where it answers `false` undici never sees the chunk. */
  constructor(body: Readable, take: (bytes: number) => boolean) {
    this.#body = body;
    this.#take = take;
  }

  get errored(): Error | null {
    return this.#body.errored;
  }

  get readableEnded(): boolean {
    return this.#body.readableEnded;
  }

  get closed(): boolean {
    return this.#body.closed;
  }

  on(event: string, listener: (...args: unknown[]) => void): this {
    if (event === 'data') {
      this.#onData = (chunk) => {
        // undici's listener pauses the stream it is called on.
        if (this.#take(Buffer.byteLength(chunk))) listener.call(this.#body, chunk);
      };
      this.#body.on('data', this.#onData);
    } else {
      this.#body.on(event, listener);
    }
    return this;
  }

  off(event: string, listener: (...args: unknown[]) => void): this {
    if (event !== 'data') this.#body.off(event, listener);
    else if (this.#onData !== undefined) this.#body.off('data', this.#onData);
    return this;
  }

  removeListener(event: string, listener: (...args: unknown[]) => void): this {
    return this.off(event, listener);
  }

  read(size?: number): unknown {
    return this.#body.read(size);
  }

  resume(): this {
    this.#body.resume();
    return this;
  }

  pause(): this {
    this.#body.pause();
    return this;
  }

  /** Only its presence counts: that is how undici knows a stream. It is never called. */
  pipe(): never {
    throw new TypeError('an upload is read through its events');
  }

  /** Ends the upload, not the body: what is left of it stays with the caller's adapter. */
  destroy(): this {
    return this.pause();
  }
}
