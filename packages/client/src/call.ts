import { urlUnder } from './base-url.js';
import { CaracalError } from './errors.js';

/** One call on its way: what it takes to send it. */
export interface Call {
  url: URL;
  method: string;
  readonly headers: Headers;
  /** As given, but for what is said here. */
  init: RequestInit;
  /** A `Request` with a body, which goes as it came. */
  readonly request: Request | undefined;
  /** It can be sent once more: its body is not a stream. */
  repeatable: boolean;
  readonly redirect: RequestRedirect;
  readonly signal: AbortSignal | null | undefined;
}

/** Reads the arguments of a `fetch`. @throws CaracalError `foreign_url` */
export function callOf(input: string | URL | Request, init: RequestInit, base: string): Call {
  const request = typeof input === 'object' && 'headers' in input ? input : undefined;
  const url = urlUnder(base, request?.url ?? String(input));
  const wholeRequest = request?.body && init.body === undefined ? request : undefined;
  const headers = new Headers(init.headers ?? request?.headers);
  const repeatable = wholeRequest === undefined && !isStream(init.body);
  // `fetch` adds its own, and together they are no length any more; browsers ignore the one given.
  if (repeatable) headers.delete('content-length');
  return {
    url,
    method: (init.method ?? request?.method ?? 'GET').toUpperCase(),
    headers,
    init,
    request: wholeRequest,
    repeatable,
    redirect: init.redirect ?? request?.redirect ?? 'follow',
    signal: init.signal ?? request?.signal,
  };
}

// Node takes any async iterable for a body, too.
function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);
}

/** Sends it. Redirects come back: with them the mandate would go wherever an upstream says. */
export function send(call: Call, send: typeof fetch): Promise<Response> {
  const { url, method, headers, init, signal, request } = call;
  const rules = { headers, redirect: 'manual', credentials: 'omit' } as const;
  if (request !== undefined) return send(new Request(request, { ...init, ...rules }));
  return send(url, { ...init, ...rules, method, ...(signal ? { signal } : undefined) });
}

/**
 * Whether an answer redirects within the base, by the rules of `fetch`; the call is then the one to send next. Another place is
 * the agent's to judge: the answer comes back as it is.
 */
export function followed(call: Call, response: Response, base: string): boolean {
  const opaque = response.type === 'opaqueredirect'; // browsers do not show where to
  if (call.redirect === 'manual' || !(opaque || [301, 302, 303, 307, 308].includes(response.status))) return false;
  if (opaque || call.redirect === 'error') throw new CaracalError('redirected');
  const toGet = response.status === 303 || (response.status < 303 && call.method === 'POST');
  if (call.method !== 'GET' && call.method !== 'HEAD' && !toGet) return false;
  const location = response.headers.get('location') ?? '';
  if (!URL.canParse(location, call.url.href)) return false;
  try {
    call.url = urlUnder(base, new URL(location, call.url).href);
  } catch {
    return false; // elsewhere
  }
  if (toGet && call.method !== 'HEAD') {
    call.method = 'GET';
    call.init = { ...call.init, body: null };
    for (const name of ['content-type', 'content-length', 'content-encoding']) call.headers.delete(name);
  }
  return true;
}
