import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { upstreamTarget } from './upstream-target.js';

const upstream = { origin: 'https://billing.example', host: 'billing.example', basePath: '/base' };

describe('upstreamTarget', () => {
  it('joins base path, path and query', () => {
    expect(upstreamTarget(upstream, '/v1/a', '?x=1')).toBe('/base/v1/a?x=1');
    expect(upstreamTarget({ ...upstream, basePath: '' }, '/', '')).toBe('/');
  });

  it('begins with a slash where a mount took the whole path', () => {
    expect(upstreamTarget({ ...upstream, basePath: '' }, '', '?x')).toBe('/?x');
    expect(upstreamTarget(upstream, '', '')).toBe('/base/');
  });

  it('changes no byte', () => {
    const text = fc.string({ unit: fc.constantFrom('/', '%2F', '%2e', ';', ':', '@', 'é', 'a', '[') });
    fc.assert(
      fc.property(text, text, (path, query) => {
        expect(upstreamTarget(upstream, `/${path}`, `?${query}`)).toBe(`/base/${path}?${query}`);
      }),
    );
  });
});
