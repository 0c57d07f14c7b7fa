import { describe, expect, it } from 'vitest';
import { byLabels } from './labels.js';

describe('byLabels', () => {
  it('tells pairs apart up to its bound and calls the rest _other', () => {
    const labels = byLabels((labels) => labels, 2);
    expect(labels('a', '/x')).toEqual({ resource: 'a', template: '/x' });
    expect(labels('a', undefined)).toEqual({ resource: 'a', template: undefined });
    expect(labels('b', '/x')).toEqual({ resource: '_other', template: '_other' });
    expect(labels('a', '/x')).toEqual({ resource: 'a', template: '/x' });
  });

  it('has no labels for a request that came to no resource', () => {
    expect(byLabels((labels) => labels)(undefined, undefined)).toEqual({ resource: undefined, template: undefined });
  });

  it('makes what it keeps once for each pair', () => {
    const kept = byLabels((labels) => ({ labels }), 1);
    expect(kept('a', '/x')).toBe(kept('a', '/x'));
    expect(kept('b', '/x')).toBe(kept('c', '/x'));
    expect(kept(undefined, undefined)).toBe(kept(undefined, undefined));
  });
});
