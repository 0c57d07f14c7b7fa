import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packages, root } from './packages.mjs';
import { installTarballs, link, packAll, run } from './packed.mjs';

let project: string;
let tarballs: ReadonlyMap<string, string>;

beforeAll(async () => {
  project = mkdtempSync(`${realpathSync(tmpdir())}/caracal-packed-`);
  tarballs = await packAll(project);
  await installTarballs(project, tarballs);
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe.each(packages)('the tarball of $name', ({ name, directory }) => {
  const installed = (): string => `${project}/node_modules/@caracal/${name}`;
  const manifest = () => JSON.parse(readFileSync(`${installed()}/package.json`, 'utf8'));

  it('holds the build, its types, the licence and the manifest, no source and no test', async () => {
    const { stdout } = await run('tar', ['-tzf', tarballs.get(name) ?? '']);
    const files = stdout.trim().split('\n');
    const expected = ['dist/index.d.ts', 'dist/index.js', 'package.json', 'LICENSE'].map((file) => `package/${file}`);
    expect(files).toEqual(expect.arrayContaining(expected));
    expect(files.filter((file) => !/^package\/(dist\/.*\.(js|d\.ts)|bin\/.*|[^/]+)$/.test(file))).toEqual([]);
    expect(files.filter((file) => /\.test\.|\.map$|tsconfig|\.env|\.npmrc/.test(file))).toEqual([]);
  });

  it('shows no condition of this workspace and depends on published versions', () => {
    const text = JSON.stringify(manifest());
    expect(text).not.toContain('@caracal/source');
    expect(text).not.toContain('workspace:');
  });

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed(), pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that are right for who imports it', async () => {
    const attw = `${root}/node_modules/.bin/attw`;
    // Its exit status is its verdict.
    await run(attw, [tarballs.get(name) ?? '', '--profile', 'esm-only', '--format', 'ascii']);
  });

  it('exports under Node what the package exports here', async () => {
    const script = `console.log(JSON.stringify(Object.keys(await import('@caracal/${name}'))))`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
    const here = await import(`${directory}/dist/index.js`);
    expect(JSON.parse(stdout).toSorted()).toEqual(Object.keys(here).toSorted());
  });
});

it('the tarballs together type-check in a strict project that checks the types of its libraries too', async () => {
  link(`${root}/node_modules/@types/node`, `${project}/node_modules/@types/node`);
  const lines = packages.map(({ name }) => `export * as ${name} from '@caracal/${name}';\n`);
  writeFileSync(`${project}/index.mts`, lines.join(''));
  const flags = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023', '--module', 'nodenext'];
  const tsc = run(`${root}/node_modules/.bin/tsc`, [...flags, '--types', 'node', 'index.mts'], { cwd: project });
  const faults = await tsc.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  // What third parties declare is theirs to mend.
  expect(faults.split('\n').filter((line) => /^(index|node_modules\/@caracal\/[a-z]+\/dist)/.test(line))).toEqual([]);
});
