import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Dispatched, Plan, TransportFailure, TransportHandler } from '@caracal/core';
import type { Connection, ConnectionRequest } from './connection.js';
import type { CancelWait, Waiter } from './connection-pool.js';
import { attemptFailure, isLengthMismatch } from './failure.js';
import { planFault } from './plan-fault.js';
import type { Pools } from './pools.js';
import { declaredLength, hasUnknownTransferCoding, rawHeaders } from './raw-headers.js';
import { SocketChannel } from './socket-channel.js';
import { Upload } from './upload.js';

/**
 * One request on its way: it waits for a connection, is given to it, and translates undici's events (`onConnect` to
 * `onError`, in the form with raw header buffers) into the drive's. Nothing is called after its last event.
 */
export class Attempt implements Dispatched, Waiter {
  readonly #plan: Plan;
  readonly #body: Readable | null;
  readonly #handler: TransportHandler;
  readonly #pools: Pools;
  readonly #length: number | undefined;
  #cancelWait: CancelWait | undefined;
  #connection: Connection | undefined;
  #resumeParser: (() => void) | undefined;
  #sent = 0;
  #readBefore = 0;
  #started = false;
  #notModified = false;
  #done = false;

  constructor(plan: Plan, body: Readable | null, handler: TransportHandler, pools: Pools) {
    this.#plan = plan;
    this.#body = plan.framing === 'none' ? null : body;
    this.#handler = handler;
    this.#pools = pools;
    this.#length = plan.framing === 'none' ? undefined : declaredLength(plan.headers);
  }

  /** Sets out. Events may come before it returns. */
  begin(): void {
    if (this.#done) return;
    const fault = planFault(this.#plan, this.#length, this.#body !== null);
    if (fault !== undefined) this.#fail(fault);
    else this.#cancelWait = this.#pools.acquire(this.#plan, this);
  }

  resume(): void {
    // Later, because undici's parser neither resumes from within its own callbacks nor remembers that it was asked to.
    queueMicrotask(() => {
      if (!this.#done) this.#resumeParser?.();
    });
  }

  abort(): void {
    if (this.#done) return;
    this.#done = true;
    this.#cancelWait?.();
    void this.#connection?.close(); // Its end concerns nobody; the pool notices by itself.
  }

  onConnection(connection: Connection): void {
    this.#connection = connection;
    connection.dispatch(this.#request(), this);
  }

  onNoConnection(failure: TransportFailure): void {
    if (!this.#done) this.#fail(failure);
  }

  onConnect(): void {
    const connection = this.#connection!;
    const reused = connection.served > 0;
    connection.served++;
    this.#started = true;
    this.#readBefore = connection.bytesRead;
    this.#handler.onStart(reused);
  }

  onRequestSent(): void {
    // undici says so before it has compared the lengths: a body that is too short fails right after.
    if (!this.#done && (this.#length === undefined || this.#sent === this.#length)) this.#handler.onSent();
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    if (this.#done) return true;
    if (status === 101) {
      this.#fail({ kind: 'invalid', cause: new Error('the upstream switched protocols without being asked to') });
    } else if (status < 100) {
      // undici takes it for an interim response; passed on, the next hop could take it for the final one.
      this.#fail({ kind: 'invalid', cause: new Error('the upstream answered with a status that is none') });
    } else if (status < 200) {
      this.#handler.onInterim(status, rawHeaders(headers));
    } else {
      this.#onFinalHead(status, rawHeaders(headers), resume);
    }
    return true;
  }

  onUpgrade(_status: number, headers: Buffer[], socket: Socket): void {
    if (this.#done) {
      socket.destroy();
      return;
    }
    // undici has taken its listeners off the socket, and put back on it what came behind the head.
    this.#done = true;
    this.#handler.onSwitch(rawHeaders(headers), new SocketChannel(socket));
  }

  onData(chunk: Buffer): boolean {
    return this.#done || this.#handler.onChunk(chunk);
  }

  onComplete(): void {
    if (this.#done) return;
    const connection = this.#connection!;
    // An answer that ends with its connection is complete for undici even if that was reset in the middle.
    if (connection.broken) {
      this.#fail({ kind: 'closed', cause: new Error('the connection was reset before the answer was complete') });
      return;
    }
    this.#done = true;
    // Later, because undici decides right after this whether the connection can serve again.
    queueMicrotask(() => connection.release());
    this.#handler.onEnd();
  }

  onError(error: Error): void {
    if (this.#done) return;
    const connection = this.#connection;
    if (!this.#started && connection !== undefined && connection.served > 0 && !connection.usable) {
      // An idle connection that closed before anything was written to it: no attempt was made yet. Such connections
      // leave the pool, so that this ends at the latest with a new one.
      this.#connection = undefined;
      this.#cancelWait = this.#pools.acquire(this.#plan, this);
      return;
    }
    if (this.#notModified && isLengthMismatch(error)) {
      // A 304 may say the length its body would have (RFC 9110 section 8.6); undici misses that body. It is complete.
      this.#done = true;
      this.#handler.onEnd();
      return;
    }
    const headSeen = this.#resumeParser !== undefined;
    const answerBegun = this.#started && (connection?.bytesRead ?? 0) > this.#readBefore;
    this.#fail(
      attemptFailure(error, { started: this.#started, headSeen, answerBegun, bodyError: this.#body?.errored }),
    );
  }

  #onFinalHead(status: number, headers: string[], resume: () => void): void {
    if (hasUnknownTransferCoding(headers)) {
      this.#fail({ kind: 'invalid', cause: new Error('the upstream used a transfer coding nobody offered') });
      return;
    }
    this.#resumeParser = resume;
    this.#notModified = status === 304;
    this.#handler.onHead(status, headers);
  }

  #request(): ConnectionRequest {
    const plan = this.#plan;
    const hasBody = this.#body !== null && this.#length !== 0;
    return {
      method: plan.method,
      path: plan.target,
      headers: plan.headers as string[],
      body: hasBody ? (new Upload(this.#body, (bytes) => this.#take(bytes)) as unknown as Readable) : null,
      // Constant, whatever the Host header says: undici reconnects when it changes. The dial decides the real one.
      servername: 'upstream',
      // undici writes both headers of it, and takes a 101 for an answer.
      ...(plan.upgrade === undefined ? undefined : { upgrade: 'websocket' }),
    };
  }

  /** Whether these bytes of the body may be written: the drive may end the attempt over them. */
  #take(bytes: number): boolean {
    if (this.#done) return false;
    this.#sent += bytes;
    this.#handler.onBodyBytes(bytes);
    return !this.#done;
  }

  #fail(failure: TransportFailure): void {
    this.#done = true;
    void this.#connection?.close(); // As in abort().
    this.#handler.onFailure(failure);
  }
}
