import { noCredential, type ResourceDefinition } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { acceptRows, judgedAnew, type ResourceRow } from './accept-rows.js';

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
    const { accepted, refused } = acceptRows(rows, new Map(), { define });
    expect(accepted.size).toBe(497);
    expect(refused.map(({ identifier }) => identifier).toSorted()).toEqual(['R:300', 'r:400', 'r:77']);
    expect(refused.every(({ keptLastGood }) => !keptLastGood)).toBe(true);
  });

  it('lets what has not changed win over what has', () => {
    const first = acceptRows([row('r:b', mount('/x'))], new Map(), { define });
    const second = acceptRows([row('r:a', mount('/x')), row('r:b', mount('/x'))], first.accepted, { define });
    expect(second.refused.map(({ identifier }) => identifier)).toEqual(['r:a']);
  });

  it('keeps the last good definition of a row that went wrong, unless another one has its place by now', () => {
    const first = acceptRows([row('r:a', mount('/a')), row('r:b', mount('/b'))], new Map(), { define });
    const second = acceptRows([row('r:a', mount('/a')), row('r:b', { mount: 1 })], first.accepted, { define });
    expect(second.refused).toMatchObject([{ identifier: 'r:b', keptLastGood: true }]);
    const third = acceptRows([row('r:a', mount('/b')), row('r:b', { mount: 1 })], first.accepted, { define });
    expect(third.refused).toMatchObject([{ identifier: 'r:b', keptLastGood: false }]);
    expect([...third.accepted.values()].map(({ definition }) => definition.identifier)).toEqual(['r:a']);
  });

  it('lets what stands beside the rows win, whatever was accepted before', () => {
    const beside = (identifier: string, more: Partial<ResourceDefinition> = {}): ResourceDefinition => ({
      identifier,
      provider: noCredential(),
      ...more,
    });
    const rows = [row('r:a'), row('r:b', mount('/b')), row('r:c', mount('/c/deep')), row('r:d', mount('/d'))];
    const first = acceptRows(rows, new Map(), { define });
    expect(first.refused).toEqual([]);
    const others = [
      beside('R:A'),
      beside('f:b', { mount: { host: 'h:1', pathPrefix: '/b/' } }),
      beside('f:c', { mount: { pathPrefix: '/c' } }),
      beside('f:d', { mount: { pathPrefix: '/d/deep' } }),
      beside('f:e', { zone: 'other', mount: { pathPrefix: '/' } }),
    ];
    const { directory, refused } = acceptRows(rows, first.accepted, { define, beside: others });
    expect(refused.map(({ identifier }) => identifier).toSorted()).toEqual(['r:a', 'r:b', 'r:c']);
    expect(refused.every(({ keptLastGood }) => !keptLastGood)).toBe(true);
    expect(refused.find(({ identifier }) => identifier === 'r:c')?.reason).toContain('lies within that of f:c');
    for (const other of ['R:A', 'f:b', 'f:c', 'f:d', 'r:d']) {
      expect(directory.byIdentifier('default', other), other).toBeDefined();
    }
    expect(directory.byMount('default', 'x', '/d/deep/1')).toMatchObject({ resource: { identifier: 'f:d' } });
  });

  it('judges what was good anew where their meaning has changed, and leaves out what is good no longer', () => {
    const { accepted } = acceptRows([row('r:a'), row('r:b', 'later a secret')], new Map(), {
      define: () => ({ provider: noCredential('provider://before') }),
    });
    const anew = judgedAnew(accepted, (document) => {
      if (typeof document === 'string') throw new TypeError('no object');
      return { provider: noCredential('provider://after') };
    });
    expect([...anew.values()].map(({ definition }) => [definition.identifier, definition.provider.id])).toEqual([
      ['r:a', 'provider://after'],
    ]);
  });

  it('takes zone and identifier from the row, whatever the document says, and tells no message it does not know', () => {
    const rows = [row('r:a', { identifier: 'r:other', zone: 'other' }, 'z'), row('r:b', 'secret')];
    const { directory, refused } = acceptRows(rows, new Map(), { define });
    expect(directory.byIdentifier('z', 'r:a')).toMatchObject({ identifier: 'r:a', zoneId: 'z' });
    expect(directory.byIdentifier('other', 'r:other')).toBeUndefined();
    expect(JSON.stringify(refused)).not.toContain('canary');
  });
});
