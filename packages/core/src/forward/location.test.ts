import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReferenceBase, resolveReference } from './location.js';

const BASE: ReferenceBase = {
  upstream: { origin: 'https://billing.example', host: 'billing.example', basePath: '/base' },
  target: '/base/v1/invoices?page=1',
  mountPrefix: '',
  publicUrl: undefined,
};
const ROOT: ReferenceBase = {
  ...BASE,
  upstream: { ...BASE.upstream, basePath: '' },
  target: '/v1/invoices?page=1',
};
const PUBLIC: ReferenceBase = { ...BASE, publicUrl: 'https://gw.example', mountPrefix: '/billing' };

describe('resolveReference', () => {
  it.each([
    ['/base/v2?a=%2F#top', '/v2?a=%2F#top'],
    ['https://billing.example/base/v2', '/v2'],
    ['HTTPS://Billing.Example:443/base/v2', '/v2'],
    ['https://user:pw@billing.example/base/v2', '/v2'],
    ['//billing.example/base/v2', '/v2'],
    ['\\\\billing.example\\base\\v2', '/v2'],
    ['ht\ttps://billing.example/base/v2', '/v2'],
    ['https:v2', '/v1/v2'],
    ['7', '/v1/7'],
    ['./7', '/v1/7'],
    ['../v2', '/v2'],
    ['?page=2', '/v1/invoices?page=2'],
    ['#x', '/v1/invoices?page=1#x'],
    ['/base', '/'],
    ['/base?x', '/?x'],
    ['/base/', '/'],
    ['/base/a%2Fb//c', '/a%2Fb//c'],
    ['/base/\u00c3\u00bc', '/%C3%BC'],
    ['/base//evil.example/x', '/.//evil.example/x'],
    ['/base/\\evil.example', '/.//evil.example'],
  ])('leads %j through the gateway as %j', (raw, value) => {
    expect(resolveReference(raw, BASE)).toEqual({ kind: 'inside', value });
  });

  it.each([
    ['/base/v2', 'https://gw.example/billing/v2'],
    ['/base', 'https://gw.example/billing'],
    ['/base?x', 'https://gw.example/billing?x'],
    ['/base//x', 'https://gw.example/billing//x'],
  ])('leads %j to the public URL and mount as %j', (raw, value) => {
    expect(resolveReference(raw, PUBLIC)).toEqual({ kind: 'inside', value });
  });

  it.each([
    ['/base', undefined, '/billing', '/billing'],
    ['/base?x', 'https://gw.example', '', 'https://gw.example/?x'],
    ['/base//x', 'https://gw.example', '', 'https://gw.example//x'],
    ['/base//x', undefined, '/billing', '/billing//x'],
  ])('joins %j with %j and %j to %j', (raw, publicUrl, mountPrefix, value) => {
    expect(resolveReference(raw, { ...BASE, publicUrl, mountPrefix })).toEqual({ kind: 'inside', value });
  });

  it.each(['/', '/v2', '/basement', '/base/../admin', '/base/%2e%2e/admin', '../../../x', 'https://billing.example/'])(
    'hides %j, which is elsewhere on the upstream',
    (raw) => {
      expect(resolveReference(raw, PUBLIC)).toEqual({ kind: 'hidden' });
    },
  );

  it.each(['https://', 'http://[::1', 'https://a b/', 'https://evil.example:99999/'])(
    'hides %j, which is no reference',
    (raw) => {
      expect(resolveReference(raw, PUBLIC)).toEqual({ kind: 'hidden' });
    },
  );

  it.each([
    'https://other.example',
    'https://other.example/a?b=c#d',
    'http://billing.example/base/x',
    'https://billing.example:8443/base/x',
    'https://billing.example.evil.example/base',
    'myapp://callback/?code=1',
    'mailto:a@b.example',
    'blob:https://billing.example/base/x',
  ])('knows %j for a foreign origin and leaves its text', (raw) => {
    expect(resolveReference(raw, PUBLIC)).toEqual({ kind: 'foreign', value: raw });
  });

  it.each([
    ['//evil.example/x', 'https://evil.example/x'],
    ['/\\evil.example/x', 'https://evil.example/x'],
    ['///evil.example/x', 'https://evil.example/x'],
    ['/\t/evil.example/x', 'https://evil.example/x'],
    ['http:evil.example', 'http://evil.example/'],
    ['https://billing.example\\@evil.example/base', undefined],
    ['https://billing.example@evil.example/base', 'https://billing.example@evil.example/base'],
    ['https://gw.example\t.evil.example/', 'https://gw.example.evil.example/'],
    ['https://gw.example%2eevil.example/', 'https://gw.example.evil.example/'],
  ])('judges %j as clients do and writes it so that nobody can differ', (raw, value) => {
    expect(resolveReference(raw, PUBLIC)).toEqual(
      value === undefined ? { kind: 'hidden' } : { kind: 'foreign', value },
    );
  });

  it.each([
    ['https://gw.example/other', 'https://gw.example/other'],
    ['//gw.example/other', 'https://gw.example/other'],
  ])("knows %j for the gateway's own origin", (raw, value) => {
    expect(resolveReference(raw, PUBLIC)).toEqual({ kind: 'gateway', value });
    expect(resolveReference(raw, BASE)).toEqual({ kind: 'foreign', value });
  });

  it('keeps the bytes of the query it was asked with', () => {
    const base = { ...BASE, target: '/base/v1?q=\u00c3\u00bc' };
    expect(resolveReference('#x', base)).toEqual({ kind: 'inside', value: '/v1?q=%C3%BC#x' });
  });

  it('never leads away from the gateway by what it says is inside, and never names the upstream', () => {
    const piece = fc.constantFrom(
      '/',
      '//',
      '\\',
      '.',
      '..',
      '%2e',
      '\t',
      'base',
      'x',
      '?',
      '#',
      ':',
      '@',
      'https:',
      ' ',
    );
    const host = fc.constantFrom('evil.example', 'billing.example', 'https://billing.example');
    const raws = fc.array(fc.oneof({ weight: 4, arbitrary: piece }, { weight: 1, arbitrary: host }), { maxLength: 10 });
    fc.assert(
      fc.property(raws, fc.constantFrom(BASE, ROOT), (pieces, base) => {
        const reference = resolveReference(pieces.join(''), base);
        if (reference.kind !== 'inside') return;
        const seen = new URL(reference.value, 'https://gw.example/a/b');
        expect(seen.origin).toBe('https://gw.example');
        expect(reference.value.startsWith('/')).toBe(true);
        expect(reference.value.startsWith('//')).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});
