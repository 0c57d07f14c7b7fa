import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { declaredLength, hasUnknownTransferCoding, rawHeaders } from './raw-headers.js';

describe('rawHeaders', () => {
  it('keeps every byte', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (list) => {
        const back = rawHeaders(list.map((bytes) => Buffer.from(bytes))).map((text) => Buffer.from(text, 'latin1'));
        expect(back.map((bytes) => [...bytes])).toEqual(list.map((bytes) => [...bytes]));
      }),
    );
  });
});

describe('declaredLength', () => {
  it("reads one decimal number, whatever the name's case", () => {
    expect(declaredLength(['Host', 'h', 'CONTENT-length', '42'])).toBe(42);
    expect(declaredLength(['Host', 'h', 'X-Content-Length', '42'])).toBeUndefined();
  });

  it.each(['', ' 1', '+1', '-1', '1,1', '0x1', '1e3', '\u0661', '9'.repeat(16)])('takes %o for no number', (value) => {
    expect(declaredLength(['Content-Length', value])).toBeNaN();
  });

  it('takes a repeated length for none, equal or not', () => {
    expect(declaredLength(['Content-Length', '1', 'content-length', '1'])).toBeNaN();
    expect(declaredLength(['Content-Length', '1', 'content-length', '1', 'Content-Length', '1'])).toBeNaN();
  });

  it('agrees with Number on whatever it takes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 5 }), fc.nat().map(String)), (value) => {
        const length = declaredLength(['Content-Length', value]);
        if (!Number.isNaN(length)) expect([length, /^\d+$/.test(value)]).toEqual([Number(value), true]);
      }),
    );
  });
});

describe('hasUnknownTransferCoding', () => {
  it.each([
    [[], false],
    [['Transfer-Encoding', 'Chunked '], false],
    [['Transfer-Encoding', 'gzip, chunked'], true],
    [['transfer-encoding', 'identity'], true],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'], true],
  ])('is told for %o', (headers, unknown) => {
    expect(hasUnknownTransferCoding(headers)).toBe(unknown);
  });
});
