import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { median } from './report.mjs';

const run = promisify(execFile);
const ROUNDS = 7;
const PACKAGES = ['core', 'node', 'file', 'sts'];

/** Import time of the packages a gateway needs, and the size of core as one script with all it depends on. */
export async function measureSizes() {
  const empty = await importMs(undefined);
  const imports = [];
  for (const name of PACKAGES) imports.push({ name: `@caracal/${name}`, ms: (await importMs(name)) - empty });
  return { imports, coreGzipBytes: gzipSync(await bundleOfCore()).length };
}

/** The same as Markdown. */
export function sizesTable({ imports, coreGzipBytes }) {
  return [
    `Time to import beyond an empty program, median of ${ROUNDS} new processes.`,
    '',
    '|  | import ms |',
    '| --- | ---: |',
    ...imports.map(({ name, ms }) => `| ${name} | ${ms.toFixed(0)} |`),
    '',
    `Core with all it depends on, minified: ${(coreGzipBytes / 1024).toFixed(0)} kB gzip.`,
  ].join('\n');
}

async function importMs(name) {
  const wanted = name === undefined ? '' : `await import('@caracal/${name}');`;
  const script = `const from = performance.now(); ${wanted} console.log(performance.now() - from)`;
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: here('.') });
    times.push(Number(stdout));
  }
  return median(times);
}

async function bundleOfCore() {
  const { output } = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry: here('../../packages/core/dist/index.js'), formats: ['es'] } },
  }).then((result) => (Array.isArray(result) ? result[0] : result));
  return output[0].code;
}

function here(path) {
  return fileURLToPath(new URL(path, import.meta.url));
}
