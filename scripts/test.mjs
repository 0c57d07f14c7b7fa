import { build, install, pnpm, requireNode, tool } from './workspace.mjs';

const STEPS = [
  { name: 'format and lint', run: () => tool('biome', ['ci', '--colors=off', '.']) },
  { name: 'types', run: () => pnpm(['typecheck']) },
  { name: 'unused code', run: () => tool('knip', []) },
  { name: 'tests', run: () => tool('vitest', ['run', ...process.argv.slice(2)]) },
];

requireNode();
// Everything later reads what these two write, so nothing runs without them.
if (!(await timed('install', install)) || !(await timed('build', build))) process.exit(1);

// One failure does not hide the others.
const failed = [];
for (const { name, run } of STEPS) {
  if (!(await timed(name, run))) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exit(1);
}
console.log('\nAll passed');

async function timed(name, step) {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const passed = await step();
  console.log(`== ${name}: ${passed ? 'ok' : 'FAILED'} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return passed;
}
