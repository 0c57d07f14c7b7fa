import { extensionNames, listOf, valuesOf, type WebSocketOffer } from '../../head/websocket-offer.js';

/** @see RFC 6455 section 1.3 */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What an upstream answers to this key in `Sec-WebSocket-Accept`. @see RFC 6455 section 4.2.2 */
export async function acceptOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(key + ACCEPT_GUID));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/**
 * Why a 101 does not answer this offer, or `undefined`. Whoever answers without the right accept value does not speak the
 * protocol: it may be a cache, or a server that echoes. What the caller did not offer it could not understand.
 * @param accept from {@link acceptOf}
 * @see RFC 6455 section 4.1
 */
export function switchFault(headers: readonly string[], offer: WebSocketOffer, accept: string): string | undefined {
  const upgrade = listOf(headers, 'upgrade');
  if (upgrade.length !== 1 || upgrade[0]!.toLowerCase() !== 'websocket') return 'switch_upgrade';
  if (!listOf(headers, 'connection').some((option) => option.toLowerCase() === 'upgrade')) return 'switch_connection';
  const accepts = valuesOf(headers, 'sec-websocket-accept');
  if (accepts.length !== 1 || accepts[0] !== accept) return 'switch_accept';
  if (!extensionNames(headers).every((name) => offer.extensions.includes(name))) return 'switch_extension';
  const protocols = valuesOf(headers, 'sec-websocket-protocol');
  if (protocols.length > 1 || !protocols.every((name) => offer.protocols.includes(name))) return 'switch_protocol';
  return undefined;
}
