import { noCredential, type ResourceDefinition } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { acceptRows, type ResourceRow } from './accept-rows.js';

const define = (document: unknown) => {
  if (document === 'secret') throw new Error('a secret canary');
  return { ...(document as Omit<ResourceDefinition, 'provider'>), provider: noCredential() };
};
const row = (identifier: string, document: unknown = {}, zone = 'default'): ResourceRow => ({
  zone,
  identifier,
  document: JSON.stringify(document),
});
const mount = (pathPrefix: string) => ({ mount: { pathPrefix } });

describe('acceptRows', () => {
  it('finds the few that clash among many, and takes all others', () => {
    const rows = Array.from({ length: 500 }, (_, index) => row(`r:${index}`, mount(`/${index}`)));
    rows[77] = row('r:77', mount('/12'));
    rows[301] = row('R:300');
    rows[400] = row('r:400', { scopes: 1 });
    const { accepted, refused } = acceptRows(rows, new Map(), define);
    expect(accepted.size).toBe(497);
    expect(refused.map(({ identifier }) => identifier).toSorted()).toEqual(['R:300', 'r:400', 'r:77']);
    expect(refused.every(({ keptLastGood }) => !keptLastGood)).toBe(true);
  });

  it('lets what has not changed win over what has', () => {
    const first = acceptRows([row('r:b', mount('/x'))], new Map(), define);
    const second = acceptRows([row('r:a', mount('/x')), row('r:b', mount('/x'))], first.accepted, define);
    expect(second.refused.map(({ identifier }) => identifier)).toEqual(['r:a']);
  });

  it('keeps the last good definition of a row that went wrong, unless another one has its place by now', () => {
    const first = acceptRows([row('r:a', mount('/a')), row('r:b', mount('/b'))], new Map(), define);
    const second = acceptRows([row('r:a', mount('/a')), row('r:b', { mount: 1 })], first.accepted, define);
    expect(second.refused).toMatchObject([{ identifier: 'r:b', keptLastGood: true }]);
    const third = acceptRows([row('r:a', mount('/b')), row('r:b', { mount: 1 })], first.accepted, define);
    expect(third.refused).toMatchObject([{ identifier: 'r:b', keptLastGood: false }]);
    expect([...third.accepted.values()].map(({ definition }) => definition.identifier)).toEqual(['r:a']);
  });

  it('takes zone and identifier from the row, whatever the document says, and tells no message it does not know', () => {
    const rows = [row('r:a', { identifier: 'r:other', zone: 'other' }, 'z'), row('r:b', 'secret')];
    const { directory, refused } = acceptRows(rows, new Map(), define);
    expect(directory.byIdentifier('z', 'r:a')).toMatchObject({ identifier: 'r:a', zoneId: 'z' });
    expect(directory.byIdentifier('other', 'r:other')).toBeUndefined();
    expect(JSON.stringify(refused)).not.toContain('canary');
  });
});
