import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The tests of properties on inputs of chance, over and over: `node test/soak/properties.mjs [--rounds N]`, 20 rounds
 * unless told. What fails prints its seed: `PROPERTY_SEED=<seed> npx vitest run --project unit <file>` repeats it.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1] ?? Number.NaN) || 20;

const files = readdirSync(`${ROOT}/packages`, { recursive: true, encoding: 'utf8' })
  .filter((file) => /^[^/]+\/src\/.*\.test\.ts$/.test(file))
  .map((file) => `packages/${file}`)
  .filter((file) => readFileSync(`${ROOT}/${file}`, 'utf8').includes("from 'fast-check'"));

let failed = 0;
for (let round = 1; round <= rounds; round++) {
  const run = spawnSync('npx', ['vitest', 'run', '--project', 'unit', '--reporter', 'dot', ...files], {
    cwd: ROOT,
    env: { ...process.env, PROPERTY_SEED: 'random' },
    encoding: 'utf8',
  });
  const passed = run.status === 0;
  if (!passed) failed++;
  console.log(`round ${round} of ${rounds}, ${files.length} files: ${passed ? 'passed' : 'FAILED'}`);
  if (!passed) console.log(run.stdout, run.stderr);
}
process.exitCode = failed === 0 ? 0 : 1;
