import { describe, expect, it } from 'vitest';
import { checkFraming } from './framing.js';

describe('checkFraming', () => {
  it('accepts one length, chunked alone on HTTP/1.1, or neither', () => {
    expect(checkFraming(undefined, undefined, '1.1')).toBeUndefined();
    expect(checkFraming('0', undefined, '1.0')).toBeUndefined();
    expect(checkFraming('12345', undefined, '2.0')).toBeUndefined();
    expect(checkFraming(undefined, 'chunked', '1.1')).toBeUndefined();
    expect(checkFraming(undefined, 'Chunked', '1.1')).toBeUndefined();
  });

  it.each(['', ' 5', '+5', '-5', '0x5', '5.0', '5, 5', '5,5', '1e3', '٥', '9'.repeat(16)])(
    'refuses the length %j',
    (length) => {
      expect(checkFraming(length, undefined, '1.1')).toBe('content_length_malformed');
    },
  );

  it.each(['', 'gzip, chunked', 'chunked, chunked', 'chunked,', ' chunked', 'chunked;a=b', 'identity', 'xchunked'])(
    'refuses the transfer coding %j',
    (coding) => {
      expect(checkFraming(undefined, coding, '1.1')).toBe('transfer_encoding_unknown');
    },
  );

  it('refuses a transfer coding beside a length, and on any version but HTTP/1.1', () => {
    expect(checkFraming('5', 'chunked', '1.1')).toBe('length_and_transfer_encoding');
    expect(checkFraming(undefined, 'chunked', '1.0')).toBe('transfer_encoding_version');
    expect(checkFraming(undefined, 'chunked', '2.0')).toBe('transfer_encoding_version');
  });
});
