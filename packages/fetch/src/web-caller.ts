import type { Caller, Driven, Refusal } from '@caracal/core';
import type { RequestBody } from './request-body.js';
import { brokenBody, NULL_BODY_STATUSES, refusalResponse, webHeaders } from './web-response.js';

/** Bytes of an answer that wait for a caller that is slow. */
const WAITING_BYTES = 64 * 1024;

/**
 * Time for a runtime to write out what it has taken before the answer breaks off, ms: an error that comes with the last chunk
 * makes some runtimes forget that chunk, and the head before it.
 */
const WRITE_OUT_MS = 20;

/** A caller behind a `Response`: its body is a stream that is filled as the upstream answers. */
export class WebCaller implements Caller<ReadableStream<Uint8Array>> {
  /** Resolves when there is something to answer. Never rejects. */
  readonly response: Promise<Response>;
  readonly #method: string;
  readonly #body: RequestBody | undefined;
  #answer!: (response: Response) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #driven: Driven | undefined;
  #phase: 'waiting' | 'answering' | 'done' = 'waiting';
  #gone = false;
  #blocked = false;

  constructor(request: Request, body: RequestBody | undefined) {
    this.#method = request.method;
    this.#body = body;
    this.response = new Promise((resolve) => {
      this.#answer = resolve;
    });
    // Some runtimes abort it after an answer that was complete as well: nothing listens any more by then.
    if (request.signal.aborted) this.abandon();
    else request.signal.addEventListener('abort', () => this.abandon(), { once: true });
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#body?.stream ?? null;
  }

  /** The caller went away before it was answered. */
  get gone(): boolean {
    return this.#gone;
  }

  /** From here on `driven` hears of the caller. */
  follow(driven: Driven): void {
    this.#driven = driven;
    if (this.#gone) driven.gone();
  }

  /** The caller is gone. */
  abandon(): void {
    if (this.#phase === 'done') return;
    this.#gone = true;
    this.#cut();
    this.#driven?.gone();
  }

  // A `Response` cannot be preceded by another.
  interim(): void {}

  respond(status: number, headers: string[]): void {
    if (this.#phase !== 'waiting') return;
    const none = this.#method === 'HEAD' || NULL_BODY_STATUSES.has(status);
    const response = new Response(none ? null : this.#stream(), { status, headers: webHeaders(headers) });
    this.#phase = 'answering';
    this.#answer(response);
  }

  write(chunk: Uint8Array): boolean {
    const controller = this.#controller;
    if (this.#phase !== 'answering' || controller === undefined) return true;
    controller.enqueue(chunk);
    this.#blocked = (controller.desiredSize ?? 0) <= 0;
    return !this.#blocked;
  }

  end(): void {
    if (this.#phase !== 'answering') return;
    this.#phase = 'done';
    this.#controller?.close();
    this.#body?.release();
  }

  refuse(refusal: Refusal): void {
    if (this.#phase === 'answering') return this.destroy();
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    this.#answer(refusalResponse(refusal, this.#method));
    this.#body?.release();
  }

  destroy(): void {
    if (this.#phase === 'done') return;
    this.#cut();
  }

  #cut(): void {
    // Before a head there is no way to say nothing: an answer that breaks off at once comes nearest.
    if (this.#phase === 'waiting') this.#answer(new Response(brokenBody(), { status: 502 }));
    else setTimeout(breakOff, WRITE_OUT_MS, this.#controller);
    this.#phase = 'done';
    this.#body?.release();
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          if (!this.#blocked) return;
          this.#blocked = false;
          this.#driven?.ready();
        },
        cancel: () => this.abandon(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: WAITING_BYTES }),
    );
  }
}

function breakOff(controller: ReadableStreamDefaultController<Uint8Array> | undefined): void {
  try {
    controller?.error(new Error('the answer was broken off'));
  } catch {
    // The caller has cancelled the stream meanwhile, which has closed it.
  }
}
