import { type Denial, deny } from '../errors.js';
import { decodeBase64url } from './base64url.js';
import { type JsonObject, parseJsonObject } from './json-object.js';

/** A JWS in its parts. Nothing in it has been verified. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** The bytes the signature stands for: both segments and the dot between them. */
  readonly signed: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();

/**
 * Takes a compact JWS apart: exactly three segments of canonical base64url, header and payload JSON objects in strict
 * UTF-8. Anything else is `invalid_token`; the JSON serialisations (RFC 7515 section 7.2) are not known here.
 *
 * @see RFC 7515 section 5.2
 */
export function parseCompactJws(token: string): CompactJws | Denial {
  const firstDot = token.indexOf('.');
  const lastDot = token.lastIndexOf('.');
  if (firstDot === lastDot || token.indexOf('.', firstDot + 1) !== lastDot) {
    return deny('invalid_token', 'segment_count');
  }
  const header = decodeBase64url(token.slice(0, firstDot));
  const payload = decodeBase64url(token.slice(firstDot + 1, lastDot));
  const signature = decodeBase64url(token.slice(lastDot + 1));
  if (header === undefined || payload === undefined || signature === undefined) {
    return deny('invalid_token', 'segment_encoding');
  }
  const parsedHeader = parseJsonObject(header);
  if (parsedHeader === undefined) return deny('invalid_token', 'header_malformed');
  const parsedPayload = parseJsonObject(payload);
  if (parsedPayload === undefined) return deny('invalid_token', 'payload_malformed');
  const signed = encoder.encode(token.slice(0, lastDot));
  return { header: parsedHeader, payload: parsedPayload, signature, signed };
}
