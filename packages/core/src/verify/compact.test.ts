import fc from 'fast-check';
import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { Denial } from '../errors.js';
import { parseCompactJws } from './compact.js';
import { checkHeader } from './jose-header.js';
import { own } from './json-object.js';

const encode = (value: string | Uint8Array) => base64url.encode(value);
const HEADER = encode('{"alg":"ES256"}');
const PAYLOAD = encode('{"iss":"a"}');
const SIGNATURE = encode(new Uint8Array(64));

function reason(token: string): string {
  const parsed = parseCompactJws(token);
  return parsed instanceof Denial ? `${parsed.code} ${parsed.reason}` : 'parsed';
}

describe('parseCompactJws', () => {
  it('takes a token apart and keeps the bytes that were signed', () => {
    const parsed = parseCompactJws(`${HEADER}.${PAYLOAD}.${SIGNATURE}`);
    if (parsed instanceof Denial) throw new Error(parsed.reason);
    expect(parsed.header).toEqual({ alg: 'ES256' });
    expect(parsed.payload).toEqual({ iss: 'a' });
    expect(parsed.signature).toHaveLength(64);
    expect(new TextDecoder().decode(parsed.signed)).toBe(`${HEADER}.${PAYLOAD}`);
  });

  it('refuses any number of segments but three', () => {
    for (const token of ['', 'a', `${HEADER}.${PAYLOAD}`, `${HEADER}.${PAYLOAD}.${SIGNATURE}.`, '....']) {
      expect(reason(token)).toBe('invalid_token segment_count');
    }
  });

  it('refuses segments that are not canonical base64url', () => {
    expect(reason(`${HEADER}=.${PAYLOAD}.${SIGNATURE}`)).toBe('invalid_token segment_encoding');
    expect(reason(`${HEADER}. ${PAYLOAD}.${SIGNATURE}`)).toBe('invalid_token segment_encoding');
    expect(reason(`${HEADER}.${PAYLOAD}.QR`)).toBe('invalid_token segment_encoding');
  });

  it('refuses a header or payload that is not a JSON object in strict UTF-8', () => {
    const bad = ['', '[]', 'null', '1', '"a"', '{', '{}{}', '\ufeff{}', "{'a':1}"].map(encode);
    bad.push(encode(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])));
    for (const segment of bad) {
      expect(reason(`${segment}.${PAYLOAD}.${SIGNATURE}`)).toBe('invalid_token header_malformed');
      expect(reason(`${HEADER}.${segment}.${SIGNATURE}`)).toBe('invalid_token payload_malformed');
    }
  });

  it('takes nothing from __proto__ members, however often they occur', () => {
    const polluting = encode('{"__proto__":{"alg":"none","iss":"evil"},"__proto__":{"iss":"evil"}}');
    const parsed = parseCompactJws(`${polluting}.${polluting}.${SIGNATURE}`);
    if (parsed instanceof Denial) throw new Error(parsed.reason);
    expect(own(parsed.header, 'alg')).toBeUndefined();
    expect(own(parsed.payload, 'iss')).toBeUndefined();
    expect(own(parsed.payload, 'constructor')).toBeUndefined();
    expect(({} as Record<string, unknown>).iss).toBeUndefined();
  });

  it('answers a denial or parts to any text', () => {
    const segment = fc.oneof(fc.string(), fc.json().map(encode), fc.constantFrom(HEADER, PAYLOAD, SIGNATURE, ''));
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), (segments) => {
        const parsed = parseCompactJws(segments.join('.'));
        expect(parsed instanceof Denial ? parsed.code : 'parsed').toMatch(/^(invalid_token|parsed)$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('checkHeader', () => {
  const rules = { algorithms: new Set(['ES256', 'EdDSA']), types: new Set(['jwt', 'at+jwt']) };
  const good = { alg: 'ES256', kid: 'k1', typ: 'at+jwt' };
  const judged = (header: Record<string, unknown>) => {
    const choice = checkHeader(header, rules);
    return choice instanceof Denial ? choice.reason : choice;
  };

  it('chooses algorithm and key', () => {
    expect(judged(good)).toEqual({ alg: 'ES256', kid: 'k1' });
  });

  it('compares types without case and application/', () => {
    for (const typ of ['JWT', 'AT+JWT', 'application/at+jwt', 'Application/JWT']) {
      expect(judged({ ...good, typ })).toEqual({ alg: 'ES256', kid: 'k1' });
    }
    for (const typ of [undefined, '', 'dpop+jwt', 'text/jwt', 'application/application/jwt', 1]) {
      expect(judged({ ...good, typ })).toBe('typ_not_allowed');
    }
  });

  it('refuses algorithms the issuer does not use, none and symmetric ones above all', () => {
    for (const alg of ['none', 'None', 'HS256', 'RS256', 'es256', '', undefined, null, ['ES256']]) {
      expect(judged({ ...good, alg })).toBe('alg_not_allowed');
    }
  });

  it('requires a kid of 1 to 256 characters', () => {
    for (const kid of [undefined, '', 1, null, 'k'.repeat(257)]) expect(judged({ ...good, kid })).toBe('kid_invalid');
    expect(judged({ ...good, kid: 'k'.repeat(256) })).toMatchObject({ alg: 'ES256' });
  });

  it('refuses extensions, listed as critical or not', () => {
    for (const crit of [['exp'], ['b64'], [], 'b64', null]) expect(judged({ ...good, crit })).toBe('crit_unknown');
    expect(judged({ ...good, b64: false })).toBe('b64_not_allowed');
  });

  it('ignores keys that come with the token', () => {
    expect(judged({ ...good, jku: 'https://evil.example', x5u: 'x', jwk: { kty: 'EC' }, x5c: ['x'] })).toEqual({
      alg: 'ES256',
      kid: 'k1',
    });
  });
});
