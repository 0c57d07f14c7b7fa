import type { TransportFailure } from './transport.js';

/** An upstream's 401, kept back while another credential is got: its head, and the one chunk that was on its way. */
export class HeldAnswer {
  readonly status: number;
  readonly headers: string[];
  chunk: Uint8Array | undefined;
  ended = false;
  failure: TransportFailure | undefined;

  constructor(status: number, headers: string[]) {
    this.status = status;
    this.headers = headers;
  }

  /** Keeps a chunk and asks for no more. */
  keep(chunk: Uint8Array): false {
    this.chunk = this.chunk === undefined ? chunk : joined(this.chunk, chunk);
    return false;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
