import assert from 'node:assert/strict';
import { isResourceIdentifier, noCredential, type ResourceDefinition, type ResourceDirectory } from '@caracal/core';
import { HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase } from './port-case.js';

/** A directory and a way to say what is in it: the port itself only answers. */
export interface FillableResourceDirectory extends ResourceDirectory {
  /** From now on the directory holds these resources and no others. */
  fill(definitions: readonly ResourceDefinition[]): Promise<void>;
}

const HOST = 'gateway.example';

function resource(identifier: string, more: Partial<ResourceDefinition> = {}): ResourceDefinition {
  return { identifier, provider: noCredential(), ...more };
}

function mounted(identifier: string, pathPrefix: string, host?: string): ResourceDefinition {
  return resource(identifier, { mount: { pathPrefix, ...(host === undefined ? {} : { host }) } });
}

async function mountOf(directory: ResourceDirectory, path: string, host = HOST): Promise<unknown> {
  const match = await directory.byMount('default', host, path);
  return match && [match.resource.identifier, match.pathPrefix];
}

/** What every {@link ResourceDirectory} has to do. */
export const resourceDirectoryCases: readonly PortCase<FillableResourceDirectory>[] = [
  portCase('answers undefined, and does not throw, for what it does not know', async ({ store }) => {
    await store.fill([resource('resource://api')]);
    assert.equal(await store.byIdentifier('default', 'resource://other'), undefined);
    assert.equal(await store.byIdentifier('other', 'resource://api'), undefined);
    assert.equal(await store.byMount('default', HOST, '/'), undefined);
    assert.equal(await store.byMount('other', HOST, '/'), undefined);
  }),

  portCase('finds a resource by exactly its identifier', async ({ store }) => {
    await store.fill([resource('resource://api'), resource('resource://api/v2')]);
    for (const identifier of ['resource://api', 'resource://api/v2']) {
      assert.equal((await store.byIdentifier('default', identifier))?.identifier, identifier);
    }
    for (const near of [
      'resource://API',
      'resource://api/',
      'resource://ap',
      'resource:%2F%2Fapi',
      ' resource://api',
    ]) {
      assert.equal(await store.byIdentifier('default', near), undefined, near);
    }
  }),

  portCase('keeps the resources of one zone from those of another', async ({ store }) => {
    const mount = { pathPrefix: '/a' };
    await store.fill([
      resource('resource://api', { zone: 'one', scopes: ['of:one'], mount }),
      resource('resource://api', { zone: 'two', scopes: ['of:two'], mount }),
      resource('resource://two', { zone: 'two' }),
    ]);
    for (const zone of ['one', 'two']) {
      const found = await store.byIdentifier(zone, 'resource://api');
      assert.deepEqual([found?.zoneId, found?.scopes], [zone, [`of:${zone}`]]);
      assert.equal((await store.byMount(zone, HOST, '/a'))?.resource.zoneId, zone);
    }
    assert.equal(await store.byIdentifier('one', 'resource://two'), undefined);
  }),

  portCase('finds nothing under hostile texts, and what is named like them exactly', async ({ store }) => {
    const named = HOSTILE_IDENTIFIERS.map((text) => `resource:${text}`)
      .filter(isResourceIdentifier)
      // A directory may refuse names that are equal without case.
      .filter((text) => text === text.toLowerCase());
    await store.fill(named.map((identifier) => resource(identifier)));
    for (const identifier of named) {
      assert.equal((await store.byIdentifier('default', identifier))?.identifier, identifier);
    }
    for (const text of HOSTILE_IDENTIFIERS) {
      assert.equal(await store.byIdentifier('default', text), undefined, text);
      assert.equal(await store.byIdentifier(text, text), undefined, text);
      assert.equal(await store.byMount(text, HOST, '/'), undefined, text);
      assert.equal(await store.byMount('default', text, `/${text}`), undefined, text);
    }
  }),

  portCase('lets the longest prefix win', async ({ store }) => {
    await store.fill([mounted('r:a', '/a'), mounted('r:abc', '/a/b/c'), mounted('r:root', '/')]);
    assert.deepEqual(await mountOf(store, '/a/b/c/d'), ['r:abc', '/a/b/c']);
    assert.deepEqual(await mountOf(store, '/a/b/c'), ['r:abc', '/a/b/c']);
    assert.deepEqual(await mountOf(store, '/a/b/d'), ['r:a', '/a']);
    assert.deepEqual(await mountOf(store, '/x'), ['r:root', '']);
  }),

  portCase('matches raw prefixes up to a slash or the end', async ({ store }) => {
    await store.fill([mounted('r:a', '/a')]);
    for (const path of ['/a', '/a/', '/a/b', '/a//b'])
      assert.deepEqual(await mountOf(store, path), ['r:a', '/a'], path);
    for (const path of ['/', '/ab', '/A', '/%61', '//a', '/b/a', '/a%2Fb']) {
      assert.equal(await mountOf(store, path), undefined, path);
    }
  }),

  portCase('answers a mount on its host alone', async ({ store }) => {
    await store.fill([mounted('r:a', '/a', HOST)]);
    assert.deepEqual(await mountOf(store, '/a'), ['r:a', '/a']);
    for (const host of ['other.example', `x.${HOST}`, `${HOST}.evil.example`]) {
      assert.equal(await mountOf(store, '/a', host), undefined, host);
    }
  }),

  portCase('names every method beyond the standard seven, of every zone', async ({ store }) => {
    await store.fill([
      resource('r:a', { operations: ['GET', 'PROPFIND'].map((method) => ({ method, path: '/' })) }),
      resource('r:b', { zone: 'other', operations: [{ method: 'REPORT', path: '/' }] }),
    ]);
    assert.deepEqual([...store.extraMethods()].sort(), ['PROPFIND', 'REPORT']);
    for (const method of ['PROPFIND', 'REPORT']) assert.equal(store.namesMethod(method), true, method);
    for (const method of ['MKCOL', 'propfind', '']) assert.equal(store.namesMethod(method), false, method);
  }),
];
