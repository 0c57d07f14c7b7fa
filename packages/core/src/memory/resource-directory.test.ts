import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Provider } from '../attach/provider.js';
import type { ResourceDefinition } from '../resolve/resource.js';
import { memoryResourceDirectory } from './resource-directory.js';

const provider: Provider = {
  id: 'provider://none',
  kind: 'none',
  origins: undefined,
  headerNames: [],
  renewable: false,
  attach: () => ({ headers: [], query: undefined, secrets: [], connection: undefined }),
  renew: async (_request, refused) => refused,
};

function resource(identifier: string, more: Partial<ResourceDefinition> = {}): ResourceDefinition {
  return { identifier, provider, ...more };
}

function mounted(identifier: string, pathPrefix?: string, host?: string): ResourceDefinition {
  const mount = { ...(host === undefined ? {} : { host }), ...(pathPrefix === undefined ? {} : { pathPrefix }) };
  return resource(identifier, { mount });
}

function mountOf(definitions: readonly ResourceDefinition[], host: string, path: string) {
  const match = memoryResourceDirectory(definitions).byMount('default', host, path);
  if (match instanceof Promise) throw new Error('a memory directory answers at once');
  return match && [match.resource.identifier, match.pathPrefix];
}

describe('memoryResourceDirectory', () => {
  it('finds a resource by its exact identifier, in its zone', () => {
    const directory = memoryResourceDirectory([resource('a:1'), resource('a:2', { zone: 'other' })]);
    expect(directory.byIdentifier('default', 'a:1')).toMatchObject({ identifier: 'a:1' });
    expect(directory.byIdentifier('default', 'A:1')).toBeUndefined();
    expect(directory.byIdentifier('default', 'a:2')).toBeUndefined();
    expect(directory.byIdentifier('other', 'a:2')).toMatchObject({ zoneId: 'other' });
    expect(directory.byIdentifier('__proto__', 'constructor')).toBeUndefined();
  });

  it('refuses identifiers of one zone that are equal without case', () => {
    expect(() => memoryResourceDirectory([resource('a:b'), resource('a:B')])).toThrow('a:b and a:B are equal');
    expect(() => memoryResourceDirectory([resource('a:b'), resource('a:b')])).toThrow(TypeError);
    expect(() => memoryResourceDirectory([resource('a:b'), resource('a:b', { zone: 'other' })])).not.toThrow();
  });

  it('matches a prefix up to a slash or the end', () => {
    const definitions = [mounted('r:a', '/a')];
    expect(mountOf(definitions, 'gw', '/a')).toEqual(['r:a', '/a']);
    expect(mountOf(definitions, 'gw', '/a/')).toEqual(['r:a', '/a']);
    expect(mountOf(definitions, 'gw', '/a/b')).toEqual(['r:a', '/a']);
    for (const path of ['/', '/ab', '/A', '/%61', '/b/a', '//a', '/a;x'])
      expect(mountOf(definitions, 'gw', path)).toBeUndefined();
  });

  it('lets the longest prefix win', () => {
    const definitions = [mounted('r:root', '/'), mounted('r:a', '/a'), mounted('r:abc', '/a/b/c')];
    expect(mountOf(definitions, 'gw', '/a/b/c/d')).toEqual(['r:abc', '/a/b/c']);
    expect(mountOf(definitions, 'gw', '/a/b/d')).toEqual(['r:a', '/a']);
    expect(mountOf(definitions, 'gw', '/x')).toEqual(['r:root', '']);
    expect(mountOf(definitions, 'gw', '/')).toEqual(['r:root', '']);
  });

  it('matches a host with its port, any port, or every host', () => {
    const definitions = [mounted('r:port', '/a', 'h:1'), mounted('r:host', '/a', 'H'), mounted('r:any', '/a')];
    expect(mountOf(definitions, 'h:1', '/a')).toEqual(['r:port', '/a']);
    expect(mountOf(definitions, 'h:2', '/a')).toEqual(['r:host', '/a']);
    expect(mountOf(definitions, 'h', '/a')).toEqual(['r:host', '/a']);
    expect(mountOf(definitions, 'other', '/a')).toEqual(['r:any', '/a']);
    expect(mountOf([mounted('r:host', undefined, '[::1]')], '[::1]:8080', '/x')).toEqual(['r:host', '']);
    expect(mountOf([mounted('r:host', undefined, 'h')], 'other', '/x')).toBeUndefined();
  });

  it('prefers the longer prefix to the more specific host', () => {
    const definitions = [mounted('r:host', '/a', 'h'), mounted('r:any', '/a/b')];
    expect(mountOf(definitions, 'h', '/a/b')).toEqual(['r:any', '/a/b']);
    expect(mountOf(definitions, 'h', '/a/c')).toEqual(['r:host', '/a']);
  });

  it('refuses equal mounts of one zone', () => {
    expect(() => memoryResourceDirectory([mounted('r:a', '/x', 'h'), mounted('r:b', '/x/', 'H')])).toThrow(
      'r:a and r:b have the same mount',
    );
    const elsewhere = { ...mounted('r:b', '/x', 'h'), zone: 'other' };
    expect(() => memoryResourceDirectory([mounted('r:a', '/x', 'h'), elsewhere])).not.toThrow();
  });

  it('refuses a second resource that passes cookies on the same host', () => {
    const cookies = (identifier: string, host?: string) =>
      resource(identifier, { passCookies: true, ...(host === undefined ? {} : { mount: { host } }) });
    expect(() => memoryResourceDirectory([cookies('r:a', 'h:1'), cookies('r:b', 'h:2')])).toThrow('both pass cookies');
    expect(() => memoryResourceDirectory([cookies('r:a'), cookies('r:b', 'h')])).toThrow('both pass cookies');
    expect(() => memoryResourceDirectory([cookies('r:a', 'h'), cookies('r:b')])).toThrow('both pass cookies');
    expect(() => memoryResourceDirectory([cookies('r:a', 'g'), cookies('r:b', 'h'), resource('r:c')])).not.toThrow();
  });

  it('names the resource that is not in order', () => {
    expect(() => memoryResourceDirectory([resource('r:a', { zone: ' ' })])).toThrow('Resource "r:a": zone: ');
  });

  it('lists the methods that operations name beyond the standard ones', () => {
    const operations = [
      { method: 'GET', path: '/' },
      { method: 'PROPFIND', path: '/' },
    ];
    expect([...memoryResourceDirectory([resource('r:a', { operations })]).extraMethods()]).toEqual(['PROPFIND']);
    expect(memoryResourceDirectory([]).extraMethods().size).toBe(0);
    expect(memoryResourceDirectory([resource('r:a', { operations })]).namesMethod('PROPFIND')).toBe(true);
    expect(memoryResourceDirectory([]).namesMethod('PROPFIND')).toBe(false);
  });

  it('finds the mount a scan of all prefixes finds', () => {
    const segment = fc.constantFrom('a', 'b', '%61');
    const prefix = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
    const path = fc
      .array(fc.oneof(segment, fc.constantFrom('', 'ab')), { maxLength: 5 })
      .map((all) => `/${all.join('/')}`);
    fc.assert(
      fc.property(fc.uniqueArray(prefix, { maxLength: 6 }), path, (prefixes, candidate) => {
        const definitions = prefixes.map((text, index) => mounted(`r:${index}`, text));
        const expected = prefixes
          .map((text) => (text === '/' ? '' : text))
          .filter((text) => candidate === text || candidate.startsWith(`${text}/`))
          .sort((one, other) => other.length - one.length)[0];
        expect(mountOf(definitions, 'gw', candidate)?.[1]).toBe(expected);
      }),
    );
  });
});
