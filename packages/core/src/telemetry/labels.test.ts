import { describe, expect, it } from 'vitest';
import { boundedLabels } from './labels.js';

describe('boundedLabels', () => {
  it('tells pairs apart up to its bound and calls the rest _other', () => {
    const labels = boundedLabels(2);
    expect(labels('a', '/x')).toEqual({ resource: 'a', template: '/x' });
    expect(labels('a', undefined)).toEqual({ resource: 'a', template: undefined });
    expect(labels('b', '/x')).toEqual({ resource: '_other', template: '_other' });
    expect(labels('a', '/x')).toEqual({ resource: 'a', template: '/x' });
  });

  it('has no labels for a request that came to no resource', () => {
    expect(boundedLabels()(undefined, undefined)).toEqual({ resource: undefined, template: undefined });
  });
});
