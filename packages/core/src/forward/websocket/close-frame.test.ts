import { describe, expect, it } from 'vitest';
import { CLOSE_POLICY_VIOLATION, closeFrame } from './close-frame.js';
import { frame } from './frames.fixture.js';

const PAYLOAD = new Uint8Array([0x03, 0xf0, ...new TextEncoder().encode('session_revoked')]);

describe('closeFrame', () => {
  it('goes to a client without a mask', () => {
    const expected = frame({ opcode: 8, final: true, payload: PAYLOAD });
    expect(closeFrame(CLOSE_POLICY_VIOLATION, 'session_revoked')).toEqual(expected);
  });

  it('goes to a server with one', () => {
    const mask = new Uint8Array([7, 0, 255, 90]);
    const expected = frame({ opcode: 8, final: true, payload: PAYLOAD, mask });
    expect(closeFrame(CLOSE_POLICY_VIOLATION, 'session_revoked', mask)).toEqual(expected);
  });
});
