import type { Dispatched, Plan, TransportHandler } from '@caracal/core';
import { failureOf } from './fetch-failure.js';
import { answerHeaders, requestHeaders } from './fetch-headers.js';

/** Bun alone can be told to leave bodies as they are, and then nothing has to be hidden from the upstream. */
const DECODES = !('Bun' in globalThis);

/** One request by `fetch`, and its events. Nothing is called after the last one. */
export class FetchAttempt implements Dispatched {
  readonly #plan: Plan;
  readonly #body: ReadableStream<Uint8Array> | null;
  readonly #handler: TransportHandler;
  readonly #proxyPasses: boolean;
  readonly #abort = new AbortController();
  #over = false;
  #bodyFailed = false;
  #resumed: (() => void) | undefined;

  /** @param proxyPasses whether a proxy that the environment names may be used */
  constructor(plan: Plan, body: ReadableStream<Uint8Array> | null, handler: TransportHandler, proxyPasses: boolean) {
    this.#plan = plan;
    this.#body = body;
    this.#handler = handler;
    this.#proxyPasses = proxyPasses;
  }

  get over(): boolean {
    return this.#over;
  }

  begin(): void {
    // Whether anything is written is not known from here on: so that nothing is ever sent twice, all of it counts as begun.
    this.#handler.onStart(false);
    void this.#run(); // never rejects
  }

  resume(): void {
    this.#resumed?.();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#abort.abort();
    this.#resumed?.();
  }

  async #run(): Promise<void> {
    try {
      const response = await this.#send();
      if (this.#over) return;
      const { method } = this.#plan;
      // Runtimes that hide redirects from their callers show this.
      if (response.status === 0) throw new TypeError('fetch has hidden the answer');
      const { headers, length } = answerHeaders(response, method, DECODES);
      this.#handler.onHead(response.status, headers);
      await this.#relay(response.body, length);
    } catch (cause) {
      if (this.#over) return;
      this.#over = true;
      this.#abort.abort();
      this.#handler.onFailure(this.#bodyFailed ? { kind: 'body', cause } : failureOf(cause));
    }
  }

  #send(): Promise<Response> {
    const plan = this.#plan;
    const upload = plan.framing === 'none' ? null : this.#upload();
    if (upload === null) this.#handler.onSent();
    const init = {
      method: plan.method,
      headers: requestHeaders(plan, DECODES),
      body: upload,
      signal: this.#abort.signal,
      redirect: 'manual',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      // A stream as a body needs it; the answer may come before the body has ended all the same.
      duplex: 'half',
      // Bun's own. Without the second it sends any request again, POST too, where a kept connection was closed meanwhile;
      // without the third the proxy that the environment names would get the request and its credential.
      decompress: false,
      keepalive: false,
      ...(this.#proxyPasses ? undefined : { proxy: false }),
    };
    return fetch(plan.origin + plan.target, init as RequestInit);
  }

  #upload(): ReadableStream<Uint8Array> | null {
    const body = this.#body;
    // A length of 0.
    if (body === null) return null;
    const reader = body.getReader();
    let cancelled = false;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await reader.read().catch((error: unknown) => {
            this.#bodyFailed = true;
            throw error;
          });
          // The attempt has failed, or was given up, while the body was waited for.
          if (this.#over || cancelled) return;
          if (done) {
            controller.close();
            this.#handler.onSent();
            return;
          }
          this.#handler.onBodyBytes(value.length);
          if (this.#over) controller.error(new Error('the attempt was given up'));
          else controller.enqueue(value);
        },
        cancel: () => {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #relay(body: ReadableStream<Uint8Array> | null, length: number | undefined): Promise<void> {
    let received = 0;
    const reader = body?.getReader();
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (this.#over) return;
      if (done) break;
      received += value.length;
      if (!this.#handler.onChunk(value)) await this.#whenResumed();
      if (this.#over) return;
    }
    // Not every runtime notices.
    if (length !== undefined && received !== length) throw new Error('the answer ended before its length');
    this.#over = true;
    this.#handler.onEnd();
  }

  #whenResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }
}
