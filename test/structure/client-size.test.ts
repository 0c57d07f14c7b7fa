import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, it } from 'vitest';
import { root } from './packages.mjs';

const MAX_GZIP_BYTES = 6_000;

it('@caracal/client is small, depends on nothing and names nothing of Node that a browser lacks', async () => {
  const manifest = JSON.parse(readFileSync(`${root}/packages/client/package.json`, 'utf8'));
  expect([manifest.dependencies, manifest.peerDependencies]).toEqual([undefined, undefined]);
  const bundled = await build({
    configFile: false,
    logLevel: 'silent',
    root,
    build: {
      write: false,
      minify: true,
      // As a script: of a module for others to bundle, the white space is kept.
      lib: { entry: `${root}/packages/client/dist/index.js`, formats: ['iife'], name: 'caracal' },
    },
  });
  const [result] = Array.isArray(bundled) ? bundled : [bundled];
  if (result === undefined || !('output' in result)) throw new Error('nothing was bundled');
  const { code } = result.output[0];
  expect(code).not.toMatch(/\bimport\b|\brequire\b|\bBuffer\b/);
  expect(gzipSync(code, { level: 9 }).length).toBeLessThan(MAX_GZIP_BYTES);
});
