import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { builtFiles, packages } from './packages.mjs';

/** What each package may import, as docs and ARCHITECTURE draw the arrows. `node:` stands for every module of Node. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['@opentelemetry/api', 'ipaddr.js', 'jose', 'lru-cache', 'uuidv7', 'valibot'],
  transport: ['@caracal/core', 'node:', 'undici'],
  node: ['@caracal/core', '@caracal/transport', 'node:'],
  koa: ['@caracal/core', '@caracal/node', 'node:'],
  fetch: ['@caracal/core'],
  deno: ['@caracal/core', '@caracal/fetch', '@caracal/node', '@caracal/transport'],
  file: ['@caracal/core', 'node:'],
  redis: ['@caracal/core', 'node:'],
  server: [
    '@caracal/core',
    '@caracal/file',
    '@caracal/node',
    '@caracal/redis',
    '@caracal/oauth',
    '@caracal/postgres',
    '@caracal/sts',
    '@caracal/transport',
    '@hono/node-server',
    'hono',
    'ioredis',
    'node:',
    'pg',
    'valibot',
    'yaml',
  ],
  client: [],
  oauth: ['@caracal/core', 'jose', 'lru-cache', 'node:', 'oauth4webapi'],
  postgres: ['@caracal/core', 'node:'],
  sts: ['@caracal/core', 'jose', 'node:'],
  testkit: ['@caracal/core', '@caracal/node', '@caracal/sts', 'jose', 'node:'],
};

describe('the direction of imports', () => {
  it('is laid down for every package', () => {
    expect(packages.map(({ name }) => name).toSorted()).toEqual(Object.keys(ALLOWED).toSorted());
  });

  it.each(packages)('is kept by what was built of $name', (workspacePackage) => {
    const allowed = ALLOWED[workspacePackage.name] ?? [];
    const strangers = builtFiles(workspacePackage).flatMap((file) =>
      importsOf(readFileSync(file, 'utf8')).filter((name) => !allowed.includes(name)),
    );
    expect([...new Set(strangers)]).toEqual([]);
  });

  it.each(packages)('lets $name import only what its manifest declares', ({ name, directory }) => {
    const manifest = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'));
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const undeclared = builtFiles({ name, directory }).flatMap((file) =>
      importsOf(readFileSync(file, 'utf8')).filter((imported) => imported !== 'node:' && !declared.includes(imported)),
    );
    expect([...new Set(undeclared)]).toEqual([]);
  });
});

// Static and dynamic imports, re-exports and require, found by TypeScript's own scanner.
function importsOf(text: string): readonly string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => !specifier.startsWith('.'))
    .map(packageName);
}

function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node:';
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
