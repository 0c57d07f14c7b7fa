import { describe, expect, it } from 'vitest';
import { declaredLength, type ResponseFraming, readFraming } from './response-framing.js';

function lengthOf(values: readonly string[], { status = 200, chunked = false } = {}): string | undefined {
  const framing: ResponseFraming = { length: undefined, chunked: false };
  for (const value of values) readFraming(framing, 'content-length', value);
  if (chunked) readFraming(framing, 'transfer-encoding', 'chunked');
  return declaredLength(framing, status);
}

describe('declaredLength', () => {
  it('passes one length, and equal ones as one', () => {
    expect(lengthOf(['42'])).toBe('42');
    expect(lengthOf(['0'])).toBe('0');
    expect(lengthOf(['42', '42'])).toBe('42');
    expect(lengthOf(['42, 42'])).toBe('42');
    expect(lengthOf([])).toBeUndefined();
  });

  it.each([
    [['42', '43']],
    [['42, 43']],
    [['-1']],
    [['+1']],
    [['1e3']],
    [['0x10']],
    [['']],
    [['4 2']],
    [['9'.repeat(16)]],
  ])('passes nothing of %j', (values) => {
    expect(lengthOf(values)).toBeUndefined();
  });

  it('passes nothing beside a transfer coding, nor where there is no body', () => {
    expect(lengthOf(['42'], { chunked: true })).toBeUndefined();
    expect(lengthOf(['0'], { status: 204 })).toBeUndefined();
    expect(lengthOf(['0'], { status: 103 })).toBeUndefined();
    expect(lengthOf(['42'], { status: 304 })).toBe('42');
  });
});
