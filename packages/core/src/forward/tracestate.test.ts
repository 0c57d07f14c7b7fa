import { describe, expect, it } from 'vitest';
import { joinedTracestate, MAX_TRACESTATE_LENGTH } from './tracestate.js';

const members = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=v`).join(',');

describe('joinedTracestate', () => {
  it('leaves one line as it is and joins several in order', () => {
    expect(joinedTracestate(['foo=1 \t,bar=2'])).toBe('foo=1 \t,bar=2');
    expect(joinedTracestate(['foo=1', 'bar=2,baz=3'])).toBe('foo=1,bar=2,baz=3');
  });

  it.each([
    'foo=1,,bar=2',
    'foo=1,foo=2',
    `${'z'.repeat(256)}=1`,
    `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    '0a@vendor=1',
    'a_-*/0=!"#$%&\'()*+-./0123456789:;<>?@AZ[\\]^_`az{|}~',
    'a= b',
    members(32),
  ])('accepts %s', (value) => {
    expect(joinedTracestate([value])).toBe(value);
  });

  it.each([
    '',
    ' , ',
    'foo',
    'foo=',
    '=1',
    'foo =1',
    'FOO=1',
    'foo.bar=1',
    '0foo=1',
    'foo@=1',
    '@foo=1',
    'foo@@bar=1',
    'foo@bar@baz=1',
    'foo=bar=baz',
    'foo=1,bar',
    'foo=\u00a0',
    'foo=1\u00a0',
    `${'z'.repeat(257)}=1`,
    `${'t'.repeat(242)}@v=1`,
    `t@${'v'.repeat(15)}=1`,
    `foo=${'x'.repeat(257)}`,
    members(33),
  ])('refuses %j', (value) => {
    expect(joinedTracestate([value])).toBeUndefined();
  });

  it('counts members over all lines', () => {
    expect(joinedTracestate([members(32), 'foo=1'])).toBeUndefined();
  });

  it('shortens by whole members: large ones first, then from the end', () => {
    const large = `large=${'x'.repeat(200)}`;
    const small = Array.from({ length: 10 }, (_, i) => `k${i}=${'x'.repeat(37)}`);
    expect(joinedTracestate([large, ...small])).toBe(small.join(','));
    const many = Array.from({ length: 20 }, (_, i) => `key${i}=${'x'.repeat(90)}`);
    const kept = joinedTracestate(many);
    expect(kept).toBe(many.slice(0, 5).join(','));
    expect(kept!.length).toBeLessThanOrEqual(MAX_TRACESTATE_LENGTH);
  });
});
