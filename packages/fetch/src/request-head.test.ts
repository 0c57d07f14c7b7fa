import { describe, expect, it } from 'vitest';
import { requestHead } from './request-head.js';

const ASKING = new Request('http://gateway.test/feed', { headers: { Upgrade: 'websocket', Connection: 'Upgrade' } });

describe('the head of a web request', () => {
  it('asks for a WebSocket on HTTP/1.1 alone', () => {
    // Where the runtime lets a Request carry such headers at all.
    const asks = ASKING.headers.get('upgrade') !== null && ASKING.headers.get('connection') !== null;
    expect(asks).toBe(true);
    expect(requestHead(ASKING, false, {}).upgrade).toBe(true);
    expect(requestHead(ASKING, false, { httpVersion: '1.0' }).upgrade).toBe(false);
    expect(requestHead(ASKING, false, { httpVersion: '2.0' }).upgrade).toBe(false);
  });
});
