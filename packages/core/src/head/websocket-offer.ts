import { type Denial, deny } from '../errors.js';
import { isToken } from '../syntax/header-syntax.js';
import type { CheckedHead } from './check-head.js';

/** What a caller offers in the opening handshake of a WebSocket. @see RFC 6455 section 4.1 */
export interface WebSocketOffer {
  /** Value of `Sec-WebSocket-Key`: 16 bytes in base64. */
  readonly key: string;
  /** Subprotocols, as they were spelled. */
  readonly protocols: readonly string[];
  /** Names of extensions, without parameters, as they were spelled. */
  readonly extensions: readonly string[];
}

/** The one version there is. @see RFC 6455 section 4.4 */
export const WEBSOCKET_VERSION = '13';

const KEY = /^[A-Za-z0-9+/]{22}==$/;

/**
 * Reads the opening handshake of a WebSocket. Denies with `upgrade_not_permitted` what asks for anything else, and with
 * `invalid_request` a handshake that is not in order; another version is answered with 426.
 * @see RFC 6455 section 4.2.1
 */
export function webSocketOffer(request: CheckedHead, headers: readonly string[]): WebSocketOffer | Denial {
  if (request.upgrade !== 'websocket') return deny('upgrade_not_permitted', 'upgrade_protocol');
  if (request.method !== 'GET') return deny('upgrade_not_permitted', 'upgrade_method');
  // What follows the head of a handshake are frames: two hops that disagree on a body would disagree on all of them.
  if (request.framing !== 'none') return deny('upgrade_not_permitted', 'upgrade_body');
  const [version, ...versions] = valuesOf(headers, 'sec-websocket-version');
  if (version !== WEBSOCKET_VERSION || versions.length > 0) {
    return deny('invalid_request', 'websocket_version_unsupported');
  }
  const [key, ...keys] = valuesOf(headers, 'sec-websocket-key');
  if (key === undefined || keys.length > 0 || !KEY.test(key)) return deny('invalid_request', 'websocket_key_malformed');
  const protocols = listOf(headers, 'sec-websocket-protocol');
  if (!protocols.every(isToken)) return deny('invalid_request', 'websocket_protocol_malformed');
  const extensions = extensionNames(headers);
  if (!extensions.every(isToken)) return deny('invalid_request', 'websocket_extensions_malformed');
  return { key, protocols, extensions };
}

/** Names in `Sec-WebSocket-Extensions`. A parameter's value is a token, also where it is quoted, so that it holds no comma. */
export function extensionNames(headers: readonly string[]): string[] {
  return listOf(headers, 'sec-websocket-extensions').map((extension) => extension.split(';', 1)[0]!.trim());
}

/** Members of a list header over all its lines; empty ones mean nothing. @see RFC 9110 section 5.6.1 */
export function listOf(headers: readonly string[], name: string): string[] {
  return valuesOf(headers, name)
    .flatMap((value) => value.split(','))
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

/** Values of every line with this name, which is in lower case. */
export function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const candidate = headers[index]!;
    if (candidate.length === name.length && candidate.toLowerCase() === name) values.push(headers[index + 1]!.trim());
  }
  return values;
}
