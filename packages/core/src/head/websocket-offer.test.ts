import { describe, expect, it } from 'vitest';
import { Denial } from '../errors.js';
import type { CheckedHead } from './check-head.js';
import { webSocketOffer } from './websocket-offer.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HEADERS = ['Sec-WebSocket-Key', KEY, 'sec-websocket-version', '13'];
const REQUEST = { upgrade: 'websocket', method: 'GET', framing: 'none' } as CheckedHead;

function reasonOf(request: Partial<CheckedHead>, headers: readonly string[] = HEADERS): string | undefined {
  const offer = webSocketOffer({ ...REQUEST, ...request }, headers);
  return offer instanceof Denial ? `${offer.code} ${offer.reason}` : undefined;
}

describe('webSocketOffer', () => {
  it('reads key, subprotocols and extensions, over several lines', () => {
    const lists = [
      ...['Sec-WebSocket-Protocol', 'chat, v2.chat', 'Sec-WebSocket-Protocol', 'third'],
      ...['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits, , x-other;a="b"'],
    ];
    expect(webSocketOffer(REQUEST, [...HEADERS, ...lists])).toEqual({
      key: KEY,
      protocols: ['chat', 'v2.chat', 'third'],
      extensions: ['permessage-deflate', 'x-other'],
    });
    expect(webSocketOffer(REQUEST, HEADERS)).toEqual({ key: KEY, protocols: [], extensions: [] });
  });

  it('refuses what asks for anything but a WebSocket', () => {
    expect(reasonOf({ upgrade: 'h2c' })).toBe('upgrade_not_permitted upgrade_protocol');
    expect(reasonOf({ upgrade: 'websocket, h2c' })).toBe('upgrade_not_permitted upgrade_protocol');
    expect(reasonOf({ method: 'POST' })).toBe('upgrade_not_permitted upgrade_method');
    expect(reasonOf({ framing: 'length' })).toBe('upgrade_not_permitted upgrade_body');
    expect(reasonOf({ framing: 'chunked' })).toBe('upgrade_not_permitted upgrade_body');
  });

  it.each([
    ['another version', 'websocket_version_unsupported', ['Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Version', '8']],
    ['no version', 'websocket_version_unsupported', ['Sec-WebSocket-Key', KEY]],
    ['two versions', 'websocket_version_unsupported', [...HEADERS, 'Sec-WebSocket-Version', '13']],
    ['no key', 'websocket_key_malformed', HEADERS.slice(2)],
    ['two keys', 'websocket_key_malformed', [...HEADERS, 'Sec-WebSocket-Key', KEY]],
    ['a short key', 'websocket_key_malformed', ['Sec-WebSocket-Key', 'dGhl', ...HEADERS.slice(2)]],
    ['a subprotocol that is no token', 'websocket_protocol_malformed', [...HEADERS, 'Sec-WebSocket-Protocol', 'a b']],
    [
      'an extension that is no token',
      'websocket_extensions_malformed',
      [...HEADERS, ...['Sec-WebSocket-Extensions', 'x; a="b,c"']],
    ],
  ])('refuses %s', (_, reason, headers) => {
    expect(reasonOf({}, headers)).toBe(`invalid_request ${reason}`);
  });
});
