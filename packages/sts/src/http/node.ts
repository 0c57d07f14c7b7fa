import type { IncomingMessage, ServerResponse } from 'node:http';
import { readIncoming } from './read-incoming.js';
import type { Answer, Received } from './received.js';

/** A path that a URL parser would leave as it is: no dot segments, nothing to escape. Behind it a query, but no fragment. */
const PLAIN_TARGET = /^((?:\/(?!\.)[A-Za-z0-9._~-]*)+)(?:\?([!-"$-~]*))?$/;

/**
 * A request of `node:http`: what the same request made into one of web standards would say, without making it. That, and its
 * streams, would cost several times what is done with it.
 */
export function receivedFromNode(incoming: IncomingMessage): Received {
  const { rawHeaders } = incoming;
  return {
    method: incoming.method ?? 'GET',
    ...targetParts(incoming.url ?? ''),
    header: (name) => headerOf(rawHeaders, name),
    readBody: () => readIncoming(incoming),
  };
}

/** Path and query of a request's target, which may be a whole URL. @see RFC 9112 section 3.2 */
export function targetParts(target: string): Pick<Received, 'path' | 'hasQuery'> {
  const [, plain, query = ''] = PLAIN_TARGET.exec(target) ?? [];
  if (plain !== undefined) return { path: plain, hasQuery: query !== '' };
  // Not relative to a base: of `//host/path` a parser would make another host.
  const url = target.startsWith('/') ? `http://caracal.invalid${target}` : target;
  if (!URL.canParse(url)) return { path: '', hasQuery: false };
  const { pathname, search } = new URL(url);
  return { path: pathname, hasQuery: search !== '' };
}

/** Writes an answer, whole. */
export function writeAnswer(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  const length = body === null ? undefined : { 'Content-Length': Buffer.byteLength(body) };
  outgoing.writeHead(status, { ...headers, ...length });
  outgoing.end(body ?? undefined);
}

// Not `incoming.headers`: of two `Authorization` it shows the first alone, and two readers would read two requests.
function headerOf(rawHeaders: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const rawName = rawHeaders[i]!;
    if (rawName.length !== name.length || rawName.toLowerCase() !== name) continue;
    value = value === null ? rawHeaders[i + 1]! : `${value}, ${rawHeaders[i + 1]!}`;
  }
  return value;
}
