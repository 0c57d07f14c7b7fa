import type { HeaderField } from './message.js';

/** What {@link requestBytes} puts on the wire. Text is written as latin-1: one character, one byte. */
export interface RequestParts {
  /** Default `GET`. */
  readonly method?: string;
  /** Default `/`. */
  readonly target?: string;
  /** Default `HTTP/1.1`. */
  readonly version?: string;
  /** Value of `Host`; `null` for none. Default `gateway.test`. */
  readonly host?: string | null;
  /** Sent as `Authorization: Bearer ...`; `null` for none. */
  readonly mandate?: string | null;
  /** Value of `X-Caracal-Resource`; `null` for none. */
  readonly resource?: string | null;
  /** In this order, after the ones above. */
  readonly headers?: readonly HeaderField[];
  /** Sent with its `Content-Length`. */
  readonly body?: string | Uint8Array;
  /** Sent chunked, one chunk each, with a last chunk. */
  readonly chunks?: readonly string[];
}

/** A request as it goes over the wire; correct unless a part is not. */
export function requestBytes(parts: RequestParts): Buffer {
  const { method = 'GET', target = '/', version = 'HTTP/1.1', host = 'gateway.test', mandate, resource } = parts;
  const lines = [`${method} ${target} ${version}`];
  if (host !== null) lines.push(`Host: ${host}`);
  if (typeof mandate === 'string') lines.push(`Authorization: Bearer ${mandate}`);
  if (typeof resource === 'string') lines.push(`X-Caracal-Resource: ${resource}`);
  for (const [name, value] of parts.headers ?? []) lines.push(`${name}: ${value}`);
  const body = bodyOf(parts);
  if (parts.chunks !== undefined) lines.push('Transfer-Encoding: chunked');
  else if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]);
}

/** One chunk. @see RFC 9112 section 7.1 */
export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** What ends a chunked body. */
export const LAST_CHUNK = '0\r\n\r\n';

function bodyOf({ body, chunks }: RequestParts): Buffer | undefined {
  if (chunks !== undefined) return Buffer.from(chunks.map(chunk).join('') + LAST_CHUNK, 'latin1');
  if (body === undefined) return undefined;
  return typeof body === 'string' ? Buffer.from(body, 'latin1') : Buffer.from(body);
}
