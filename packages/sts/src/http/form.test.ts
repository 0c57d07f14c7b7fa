import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PARAMETERS, parameter, parseForm } from './form.js';

describe('parseForm', () => {
  it('reads what URLSearchParams writes', () => {
    const entries = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ minLength: 1 })), {
      selector: ([name]) => name,
      maxLength: 20,
    });
    fc.assert(
      fc.property(entries, (pairs) => {
        const form = parseForm(new URLSearchParams(pairs).toString());
        expect(form).toEqual(new Map(pairs.map(([name, value]) => [name, [value]])));
      }),
      { numRuns: 200 },
    );
  });

  it('answers parameters or a fixed reason for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const form = parseForm(text);
        if (typeof form === 'string') expect(form).toMatch(/^(too_many_parameters|parameter_(malformed|repeated))$/);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a parameter that comes twice, even with no value or the same one', () => {
    expect(parseForm('scope=a&scope=a')).toBe('parameter_repeated');
    expect(parseForm('client_id=a&client%5Fid=b')).toBe('parameter_repeated');
    expect(parseForm('scope=&scope=a')).toBe('parameter_repeated');
  });

  it('takes several resources and audiences, in order', () => {
    const form = parseForm('resource=a%3Ab&audience=x&resource=c%3Ad');
    expect(form).toEqual(
      new Map([
        ['resource', ['a:b', 'c:d']],
        ['audience', ['x']],
      ]),
    );
  });

  it('treats a parameter without a value as omitted', () => {
    expect(parseForm('scope=&ttl_seconds')).toEqual(new Map());
    expect(parameter(new Map(), 'scope')).toBeUndefined();
  });

  it('refuses malformed escapes and bad UTF-8', () => {
    expect(parseForm('a=%')).toBe('parameter_malformed');
    expect(parseForm('a=%zz')).toBe('parameter_malformed');
    expect(parseForm('a=%ff')).toBe('parameter_malformed');
  });

  it('bounds how many there are', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=1`).join('&');
    expect(parseForm(many(MAX_PARAMETERS))).toBeInstanceOf(Map);
    expect(parseForm(many(MAX_PARAMETERS + 1))).toBe('too_many_parameters');
  });
});
