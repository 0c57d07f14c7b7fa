import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Caller, Driven, Presence, Refusal } from '@caracal/core';
import type { Connection, Connections } from './connections.js';
import { interimResponse } from './interim.js';
import { lingeringClose } from './lingering-close.js';
import { writeResponseHead } from './response-head.js';

/** How long a caller may take nothing of an answer that is ended, but not yet written out, ms. Nobody else watches it then. */
export const WRITE_OUT_TIMEOUT_MS = 60_000;

/** A body up to this size goes out together with its head where all of it is there at once. */
const SMALL_BODY_BYTES = 8 * 1024;

const LAST_CHUNK = '0\r\n\r\n';

/**
 * A caller behind `node:http`. Its response must be the one at the head of the connection, so that what is written past
 * `ServerResponse` (interim responses, the end of an early answer) stands in its place.
 */
export class NodeCaller implements Caller<Readable>, Presence {
  readonly body: Readable | null;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #connection: Connection;
  // Kept, because undici takes `req.socket` away from a body that it gives up.
  readonly #socket: Socket;
  readonly #connections: Connections;
  #driven: Driven | undefined;
  #leaving: AbortController | undefined;
  #phase: 'waiting' | 'answering' | 'done' = 'waiting';
  #gone = false;
  #wroteBody = false;
  /** The first bytes of the answer's body, until it is known whether they are all of it. */
  #first: Uint8Array | undefined;
  #heedsDrain = false;
  #bodiless: boolean;

  /** @param body of the request; `null` where there is none, or none is taken */
  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    body: Readable | null,
    connection: Connection,
    connections: Connections,
  ) {
    this.#req = req;
    this.#res = res;
    this.#connection = connection;
    this.#socket = connection.socket;
    this.#connections = connections;
    this.#bodiless = req.method === 'HEAD';
    this.body = body;
    connection.caller = this;
    res.on('close', () => {
      connections.released(connection);
      this.abandon();
    });
  }

  /** The caller went away before it was answered. */
  get gone(): boolean {
    return this.#gone;
  }

  get signal(): AbortSignal {
    if (this.#leaving === undefined) {
      this.#leaving = new AbortController();
      if (this.#gone) this.#leaving.abort();
    }
    return this.#leaving.signal;
  }

  /** The head of the answer has been written, and its end has not. */
  get answering(): boolean {
    return this.#phase === 'answering';
  }

  /** Some of the request's body has not arrived yet. */
  get bodyPending(): boolean {
    return this.body !== null && !this.#req.complete;
  }

  /** From here on `driven` hears of the caller. */
  follow(driven: Driven): void {
    this.#driven = driven;
  }

  /** The caller is gone, or has broken off what it was sending. */
  abandon(): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    this.#gone = true;
    this.#driven?.gone();
    this.#leaving?.abort();
  }

  /** Leaves the answer to somebody else. Its connection stays in use until it closes. */
  withdraw(): void {
    this.#phase = 'done';
    this.#res.detachSocket(this.#socket);
  }

  /** `100 Continue`, where a body is still to come. */
  continue(): void {
    if (this.bodyPending) this.#res.writeContinue();
  }

  interim(status: number, headers: string[]): void {
    // RFC 9110 section 15.2: never to an HTTP/1.0 caller.
    if (this.#phase !== 'waiting' || this.#req.httpVersionMinor === 0 || !this.#socket.writable) return;
    this.#socket.write(interimResponse(status, headers), 'latin1');
  }

  respond(status: number, headers: string[]): void {
    if (this.#phase !== 'waiting') return;
    if (this.#mustClose()) headers.push('Connection', 'close');
    // Node would send chunks to an HTTP/1.0 caller that says `TE: chunked`.
    if (this.#req.httpVersionMinor === 0) this.#res.useChunkedEncodingByDefault = false;
    writeResponseHead(this.#res, status, headers);
    this.#phase = 'answering';
    if (status === 204 || status === 304) this.#bodiless = true;
    // An answer without a body ends at once, and its end takes the head along.
    if (!this.#bodiless) process.nextTick(flushHead, this);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#phase !== 'answering') return true;
    if (!this.#wroteBody && this.#first === undefined && chunk.length <= SMALL_BODY_BYTES) {
      // Not for longer than this turn: `flushHead` is due at its end.
      this.#first = chunk;
      return true;
    }
    if (this.#first !== undefined) this.flushHead();
    this.#wroteBody = true;
    const ready = this.#res.write(chunk);
    if (!ready && !this.#heedsDrain) {
      this.#heedsDrain = true;
      this.#res.on('drain', () => this.#driven?.ready());
    }
    return ready;
  }

  end(): void {
    if (this.#phase !== 'answering') return;
    if (this.bodyPending) {
      // The upstream has answered without waiting for the whole body. The caller still has to get that answer.
      this.flushHead();
      this.#phase = 'done';
      lingeringClose(this.#socket, this.#res.chunkedEncoding ? LAST_CHUNK : '', this.#req);
      return;
    }
    this.#phase = 'done';
    if (this.#first !== undefined) this.#writeWhole(latin1Of(this.#first), 'latin1');
    this.#finish();
  }

  refuse(refusal: Refusal): void {
    if (this.#phase === 'done') return;
    if (this.#res.headersSent) {
      this.destroy();
      return;
    }
    this.#phase = 'done';
    const headers = this.#mustClose() ? [...refusal.headers, 'Connection', 'close'] : refusal.headers;
    writeResponseHead(this.#res, refusal.status, headers);
    if (!this.bodyPending) {
      if (refusal.body !== '' && !this.#bodiless) this.#writeWhole(refusal.body, 'utf8');
      this.#finish();
      return;
    }
    this.#socket.cork();
    this.#res.flushHeaders();
    this.#res.write(refusal.body);
    lingeringClose(this.#socket, '', this.#req);
  }

  destroy(): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    this.#cut();
  }

  /** Ends an exchange whose connection turned out to carry something broken. */
  breakOff(): void {
    this.abandon();
    this.#cut();
  }

  /** Sends the head now if nothing has taken it along: an event stream may say nothing more for minutes. */
  flushHead(): void {
    if (this.#phase !== 'answering' || this.#wroteBody) return;
    this.#wroteBody = true;
    // Not `flushHeaders()`: that writes the head as UTF-8, and doubles every byte above 0x7F. For an early answer without
    // a body there is no other way.
    if (this.#bodiless) this.#res.flushHeaders();
    else this.#res.write(this.#first ?? '', 'latin1');
    this.#first = undefined;
  }

  /**
   * Writes head and body of a small answer as one text: of texts and buffers together Node makes a list, and to write that
   * takes longer than the rest of the answer.
   */
  #writeWhole(body: string, encoding: 'latin1' | 'utf8'): void {
    this.#res.write(body, encoding);
    // Node has corked it, so that more could be written in this turn. There is no more.
    this.#socket.uncork();
  }

  #finish(): void {
    this.#res.end();
    // Node replaces this with its own for idle connections as soon as all is written.
    if (this.#res.writableLength > 0) this.#socket.setTimeout(WRITE_OUT_TIMEOUT_MS);
  }

  #cut(): void {
    // To an HTTP/1.0 caller the end of the connection is the end of the body: only a reset tells it otherwise. A TLS
    // socket cannot be reset, but ends without its closing alert. Nor can a socket of the file system, which has no
    // address: `resetAndDestroy` throws for it.
    // Asked of these callers alone: to look an address up is a system call, and thousands may be cut at once.
    const socket = this.#socket;
    const reset = this.#req.httpVersionMinor === 0 && socket.remoteAddress !== undefined && !('encrypted' in socket);
    if (reset) socket.resetAndDestroy();
    else socket.destroy();
  }

  // RFC 9112 section 9.3: a connection is kept only if the whole request is read.
  #mustClose(): boolean {
    return this.#connections.draining || this.#connection.last || this.bodyPending;
  }
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function flushHead(caller: NodeCaller): void {
  caller.flushHead();
}
