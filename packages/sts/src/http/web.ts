import { readBody } from './read-body.js';
import type { Answer, Received } from './received.js';

/** A request of web standards. */
export function receivedFromWeb(request: Request): Received {
  const { pathname, search } = new URL(request.url);
  return {
    method: request.method,
    path: pathname,
    hasQuery: search !== '',
    header: (name) => request.headers.get(name),
    readBody: () => readBody(request),
  };
}

/** An answer of web standards. */
export function webResponse({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}
