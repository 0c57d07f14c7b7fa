import {
  drive,
  type Exchange,
  type Gateway,
  NOTHING_SENT,
  type Refusal,
  refuseUnknownOptions,
  type Transport,
} from '@caracal/core';
import { fetchTransport, isRewritten } from './fetch-transport.js';
import { shownBody } from './request-body.js';
import { type FetchInfo, hidesBody, requestHead } from './request-head.js';
import { WebCaller } from './web-caller.js';

/** Options of {@link fetchHandler}. */
export interface FetchHandlerOptions {
  /**
   * How bytes reach the upstreams; its owner closes it. Default: a `fetchTransport()` of the handler's own. Under Node and
   * Deno give it `webBodies(undiciTransport())` of `@caracal/transport`, which can do what `fetch` cannot.
   */
  readonly transport?: Transport<ReadableStream<Uint8Array>>;
}

/** A handler for web-standard runtimes. Its promise never rejects. */
export interface FetchHandler {
  (request: Request, info?: FetchInfo): Promise<Response>;
  /** Closes the transport, unless it was handed in. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a handler that forwards what the gateway admits: Hono, Bun, Workers, whatever takes a `Request` and gives a `Response`.
 *
 * A `Request` shows less than the wire: see docs/adapters.md for what that costs. Verdicts and records are those of every
 * other adapter. Where something has read the body before, the request is answered with 500 `internal_error`, nothing goes
 * upstream, and the gateway's `onFault` is told.
 * @throws TypeError that names an unknown option
 */
export function fetchHandler(gateway: Gateway, options: FetchHandlerOptions = {}): FetchHandler {
  refuseUnknownOptions('fetchHandler', options, ['transport']);
  const own = options.transport === undefined ? fetchTransport() : undefined;
  const transport = options.transport ?? (own as Transport<ReadableStream<Uint8Array>>);

  async function handler(request: Request, info: FetchInfo = {}): Promise<Response> {
    const wasRead = request.bodyUsed || request.body?.locked === true;
    const body = wasRead ? undefined : await shownBody(request);
    const caller = new WebCaller(request, body);
    const verdict = await gateway.admit(requestHead(request, body !== undefined, info)); // never rejects
    proceed(verdict, caller, whyNot(verdict, request, wasRead, own !== undefined));
    return caller.response;
  }

  function proceed(verdict: Refusal | Exchange, caller: WebCaller, fault: Fault | undefined): void {
    if (verdict.kind === 'refusal') return caller.refuse(verdict);
    if (caller.gone)
      return verdict.settle({ ...NOTHING_SENT, outcome: 'client_aborted', reason: 'gone_before_forwarding' });
    if (fault === undefined) return caller.follow(drive(verdict, transport, caller));
    const refusal = verdict.refuse(fault.code, fault.reason, fault.cause);
    caller.refuse(refusal);
    const { status, code: error } = refusal;
    verdict.settle({ ...NOTHING_SENT, outcome: 'refused', status, error, reason: fault.reason });
  }

  return Object.assign(handler, { close: async () => own?.close() });
}

interface Fault {
  readonly code: 'internal_error' | 'invalid_request';
  readonly reason: string;
  readonly cause?: Error;
}

/** What stands between an admitted request and sending it on as the caller sent it. */
function whyNot(verdict: Refusal | Exchange, request: Request, wasRead: boolean, byFetch: boolean): Fault | undefined {
  if (verdict.kind === 'refusal') return undefined;
  if (wasRead) {
    const cause = new TypeError('Something before the gateway has read the body: hand requests over untouched.');
    return { code: 'internal_error', reason: 'body_already_read', cause };
  }
  if (hidesBody(request)) return { code: 'invalid_request', reason: 'body_not_shown' };
  if (byFetch && verdict.plan !== undefined && isRewritten(verdict.plan)) {
    return { code: 'invalid_request', reason: 'target_not_sendable' };
  }
  return undefined;
}
