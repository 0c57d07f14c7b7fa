import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Denial } from '../errors.js';
import { MAX_TOKEN_LENGTH, readBearer } from './bearer.js';

function refusal(authorization: string | undefined): string {
  const read = readBearer(authorization);
  return read instanceof Denial ? `${read.code} ${read.reason}` : 'read';
}

describe('readBearer', () => {
  it('reads the token after a scheme in any case and one or more spaces', () => {
    for (const value of ['Bearer a.b.c', 'bearer a.b.c', 'BEARER   a.b.c']) expect(readBearer(value)).toBe('a.b.c');
  });

  it('takes no value, another scheme and no token for a missing mandate', () => {
    expect(refusal(undefined)).toBe('missing_token authorization_absent');
    for (const value of ['', 'Bea', 'Basic YTpi', 'Bearerer x', 'Bearera.b.c', 'Bearer\ta.b.c', ' Bearer a.b.c']) {
      expect(refusal(value)).toBe('missing_token other_scheme');
    }
    for (const value of ['Bearer', 'Bearer ', 'bearer   ']) expect(refusal(value)).toBe('missing_token token_absent');
  });

  it('refuses what is not a b64token', () => {
    for (const value of ['Bearer a b', 'Bearer a,b', 'Bearer a\tb', 'Bearer "a"', 'Bearer =a', 'Bearer é']) {
      expect(refusal(value)).toBe('invalid_token token_characters');
    }
    expect(readBearer('Bearer a-._~+/Z9==')).toBe('a-._~+/Z9==');
  });

  it('refuses a token longer than the limit', () => {
    expect(readBearer(`Bearer ${'a'.repeat(MAX_TOKEN_LENGTH)}`)).toHaveLength(MAX_TOKEN_LENGTH);
    expect(refusal(`Bearer ${'a'.repeat(MAX_TOKEN_LENGTH + 1)}`)).toBe('invalid_token token_too_long');
  });

  it('answers a token or a denial to any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `Bearer ${text}`),
        ),
        (value) => {
          const read = readBearer(value);
          expect(read instanceof Denial || /^[\w\-.~+/]+=*$/.test(read)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
