import { describe, expect, it } from 'vitest';
import { acceptOf, switchFault } from './handshake.js';

const OFFER = { key: 'dGhlIHNhbXBsZSBub25jZQ==', protocols: ['chat', 'superchat'], extensions: ['permessage-deflate'] };
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const RIGHT = ['Upgrade', 'WebSocket', 'Connection', 'keep-alive, upgrade', 'Sec-WebSocket-Accept', ACCEPT];

describe('acceptOf', () => {
  it('answers the example of RFC 6455 section 1.3', async () => {
    expect(await acceptOf(OFFER.key)).toBe(ACCEPT);
  });
});

describe('switchFault', () => {
  it('finds nothing in a 101 that answers the offer', () => {
    expect(switchFault(RIGHT, OFFER, ACCEPT)).toBeUndefined();
    const all = [
      ...RIGHT,
      ...['sec-websocket-protocol', 'superchat'],
      ...['Sec-WebSocket-Extensions', 'permessage-deflate; server_max_window_bits=10'],
    ];
    expect(switchFault(all, OFFER, ACCEPT)).toBeUndefined();
  });

  it.each([
    ['another protocol', 'switch_upgrade', ['Upgrade', 'h2c', ...RIGHT.slice(2)]],
    ['a second protocol', 'switch_upgrade', [...RIGHT, 'Upgrade', 'h2c']],
    ['no protocol', 'switch_upgrade', RIGHT.slice(2)],
    ['no Connection', 'switch_connection', [...RIGHT.slice(0, 2), ...RIGHT.slice(4)]],
    ['no accept value', 'switch_accept', RIGHT.slice(0, 4)],
    ['a wrong accept value', 'switch_accept', [...RIGHT.slice(0, 5), ACCEPT.toLowerCase()]],
    ['two accept values', 'switch_accept', [...RIGHT, 'Sec-WebSocket-Accept', ACCEPT]],
    [
      'an extension nobody offered',
      'switch_extension',
      [...RIGHT, 'Sec-WebSocket-Extensions', 'permessage-deflate, x'],
    ],
    ['a subprotocol nobody offered', 'switch_protocol', [...RIGHT, 'Sec-WebSocket-Protocol', 'Chat']],
    ['two subprotocols', 'switch_protocol', [...RIGHT, 'Sec-WebSocket-Protocol', 'chat, superchat']],
    [
      'two lines of subprotocols',
      'switch_protocol',
      [...RIGHT, ...['Sec-WebSocket-Protocol', 'chat', 'Sec-WebSocket-Protocol', 'superchat']],
    ],
  ])('refuses %s', (_, reason, headers) => {
    expect(switchFault(headers, OFFER, ACCEPT)).toBe(reason);
  });
});
