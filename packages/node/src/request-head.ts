import type { IncomingMessage } from 'node:http';
import type { Presence, RequestHead } from '@caracal/core';

/**
 * The head of a request as it came. Reads the raw list alone: `req.headers` joins duplicates or drops all but the first,
 * and with them the evidence of an attack.
 */
export function requestHead(req: IncomingMessage, peer: RequestHead['peer'], presence?: Presence): RequestHead {
  const { rawHeaders, httpVersion } = req;
  const removedPrefix = removedPrefixOf(req);
  return {
    method: req.method ?? '',
    target: removedPrefix === undefined ? originalUrl(req) : (req.url ?? ''),
    ...(removedPrefix && { removedPrefix }),
    headers: rawHeaders,
    httpVersion,
    peer,
    upgrade: asksForWebSocket(req),
    fidelity: 'raw',
    presence,
  };
}

/**
 * What a framework took off the front of the target because the handler is mounted below it; empty where nothing.
 * `undefined` where the target was changed in any other way: what would be judged then is not what the caller sent.
 */
export function removedPrefixOf(req: IncomingMessage): string | undefined {
  const original = originalUrl(req);
  const url = req.url ?? '';
  if (url === original) return '';
  if (url.startsWith('/') && original.endsWith(url)) return original.slice(0, -url.length);
  // `/gateway?a=b` becomes `/?a=b` below `/gateway`.
  const query = url.startsWith('/') ? url.slice(1) : '?';
  const isRoot = query === '' || query.startsWith('?');
  return isRoot && original.endsWith(query) ? withoutQuery(original, query) : undefined;
}

function withoutQuery(original: string, query: string): string | undefined {
  const path = original.slice(0, original.length - query.length);
  return path.includes('?') ? undefined : path;
}

/** The target as it came: Connect, Express and what descends from them keep it here when they change `url`. */
function originalUrl(req: IncomingMessage & { readonly originalUrl?: unknown }): string {
  return typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '');
}

/** Whether somebody has taken bytes of the body already, or has it decoded: they would be missing from what is sent on. */
export function bodyWasRead(req: IncomingMessage): boolean {
  return req.readableDidRead || req.readableEnded || req.destroyed || req.readableEncoding !== null;
}

/** Whether a body follows the head: `Transfer-Encoding`, or a length other than 0. @see RFC 9112 section 6.3 */
export function announcesBody(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true;
    if (name.length === 14 && name.toLowerCase() === 'content-length' && Number(headers[index + 1]) !== 0) return true;
  }
  return false;
}

/**
 * Whether the caller asks for a WebSocket. Other protocols (h2c) are not ours to switch to, and HTTP/1.0 knows no switch:
 * such a request is served as if it had not asked. @see RFC 9110 section 7.8
 */
export function asksForWebSocket({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  return (
    httpVersion === '1.1' && lists(rawHeaders, 'upgrade', 'websocket') && lists(rawHeaders, 'connection', 'upgrade')
  );
}

function lists(headers: readonly string[], field: string, token: string): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (name.length !== field.length || name.toLowerCase() !== field) continue;
    for (const member of headers[index + 1]!.toLowerCase().split(',')) {
      if (member.trim() === token) return true;
    }
  }
  return false;
}
