import {
  type Admitted,
  type Enforced,
  type EnforcedCaller,
  type Exchange,
  enforce,
  type Gateway,
  ofResource,
  type Refusal,
  refuseUnknownOptions,
} from '@caracal/core';
import { type RequestBody, requestBody } from './request-body.js';
import { type FetchInfo, requestHead } from './request-head.js';
import { refusalResponse } from './web-response.js';

/** Options of {@link protect}. */
export interface ProtectOptions {
  /** Identifier of the resource that this service is; callers need not name it, and may name no other. */
  readonly resource: string;
}

/** Answers an admitted request. The request's body is the caller's, counted. */
export type ProtectedHandler = (request: Request, admitted: Admitted) => Response | Promise<Response>;

/** Answers a request: with a refusal, or with what `handler` answers. Rejects where `handler` does. */
export type FetchProtection = (request: Request, handler: ProtectedHandler, info?: FetchInfo) => Promise<Response>;

/**
 * Enforces inside a service that answers by itself: the verdict, the refusals and the evidence are those of a forwarded
 * request. What the gateway ends (revoked, expired, shut down) is cut, whatever the handler does; `signal` tells the
 * handler. Bytes are counted both ways; the exchange is settled when the answer has ended or the caller is gone.
 * @throws TypeError that names an unknown or wrong option
 */
export function protect(gateway: Gateway, options: ProtectOptions): FetchProtection {
  refuseUnknownOptions('protect', options, ['resource']);
  const { resource } = options;
  if (typeof resource !== 'string')
    throw new TypeError('protect: resource is the identifier of the resource to protect');

  return async (request, handler, info = {}) => {
    const head = requestHead(request, false, info);
    const headers = ofResource(head.headers, resource);
    const verdict = await gateway.admit({ ...head, headers, upgrade: false }); // never rejects
    return verdict.kind === 'refusal' ? refusalResponse(verdict, request.method) : answered(verdict, request, handler);
  };
}

async function answered(exchange: Exchange, request: Request, handler: ProtectedHandler): Promise<Response> {
  const answer = new ServiceAnswer(request.method);
  const enforced = enforce(exchange, answer);
  const body = countedRequestBody(request, enforced);
  answer.begin(enforced, body);
  if (request.signal.aborted) enforced.gone();
  else request.signal.addEventListener('abort', () => enforced.gone(), { once: true });
  const shown =
    body === undefined ? request : new Request(request, { body: body.stream, duplex: 'half' } as RequestInit);
  const made = Promise.resolve()
    .then(() => handler(shown, enforced.admitted))
    .then((response) => answer.made(response, exchange.ownHeaders()));
  try {
    return await Promise.race([answer.instead, made]);
  } catch (error) {
    // Whoever called answers for it, most likely with 500.
    enforced.responding(500, undefined);
    enforced.finished();
    body?.release();
    throw error;
  }
}

function countedRequestBody(request: Request, enforced: Enforced): RequestBody | undefined {
  if (request.body === null || request.bodyUsed) return undefined;
  return requestBody(request.body, (bytes) => enforced.received(bytes));
}

/** The answer of a service, which the gateway may take out of its hands. */
class ServiceAnswer implements EnforcedCaller {
  /** Resolves with the refusal that stands in place of the service's answer. */
  readonly instead: Promise<Response>;
  readonly #method: string;
  #refuse!: (response: Response) => void;
  #enforced: Enforced | undefined;
  #requestBody: RequestBody | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #over = false;

  constructor(method: string) {
    this.#method = method;
    this.instead = new Promise((resolve) => {
      this.#refuse = resolve;
    });
  }

  begin(enforced: Enforced, requestBody: RequestBody | undefined): void {
    this.#enforced = enforced;
    this.#requestBody = requestBody;
    if (this.#over) this.#release();
  }

  refuse(refusal: Refusal): void {
    this.#over = true;
    this.#refuse(refusalResponse(refusal, this.#method));
    this.#release();
  }

  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.error(new Error('the answer was broken off'));
    this.#release();
  }

  /** The service's answer, its body counted and under control. */
  made(response: Response, ownHeaders: readonly string[]): Response {
    const { status, statusText, body } = response;
    this.#reader = body?.getReader();
    // Answered by a refusal meanwhile; this one goes nowhere.
    if (this.#over) {
      this.#release();
      return response;
    }
    this.#enforced?.responding(status, response.headers.get('content-type') ?? undefined);
    const headers = new Headers(response.headers);
    for (let index = 0; index < ownHeaders.length; index += 2) {
      const [name, value] = [ownHeaders[index]!, ownHeaders[index + 1]!];
      if (name === 'Vary') headers.append(name, value);
      else headers.set(name, value);
    }
    const none = this.#reader === undefined || this.#method === 'HEAD';
    if (none) this.#end();
    return new Response(none ? null : this.#stream(), { status, statusText, headers });
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: (controller) => this.#pull(controller),
        cancel: () => this.#abandon(),
      },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const { done, value } = await this.#reader!.read();
      if (this.#over) return;
      if (done) {
        controller.close();
        this.#end();
      } else {
        this.#enforced?.sent(value.length);
        controller.enqueue(value);
      }
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  #end(): void {
    this.#over = true;
    this.#enforced?.finished();
    this.#release();
  }

  #abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#enforced?.gone();
    this.#release();
  }

  #release(): void {
    this.#requestBody?.release();
    // Later, after `signal` has aborted: a handler that closes its stream on that would meet one that is closed already, and
    // an error in a listener of `abort` ends the process.
    const reader = this.#reader;
    // It may have failed or ended already, and then there is nothing to cancel.
    queueMicrotask(() => void reader?.cancel().catch(() => {}));
  }
}
