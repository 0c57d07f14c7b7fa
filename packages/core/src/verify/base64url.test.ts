import fc from 'fast-check';
import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { decodeBase64url } from './base64url.js';

describe('decodeBase64url', () => {
  it('decodes what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect([...decodeBase64url(base64url.encode(bytes))!]).toEqual([...bytes]);
      }),
      { numRuns: 500 },
    );
  });

  it('accepts no text that does not re-encode to itself', () => {
    const nearlyBase64url = fc.string({ unit: fc.constantFrom(...'AQBgw_-9=+/ \n.é') });
    fc.assert(
      fc.property(fc.oneof(nearlyBase64url, fc.string()), (text) => {
        const bytes = decodeBase64url(text);
        if (bytes !== undefined) expect(base64url.encode(bytes)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses padding, white space, the other alphabet, unused bits and a single character left over', () => {
    for (const text of ['QQ==', 'Q Q', 'QQ\n', '+/+/', 'QR', 'QUF', 'A', 'AAAAA', 'QQ\u0101']) {
      expect(decodeBase64url(text)).toBeUndefined();
    }
    expect([...decodeBase64url('QQ')!]).toEqual([0x41]);
  });
});
