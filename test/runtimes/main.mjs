// The HTTP suite against the built packages, under every runtime they are made for: `pnpm test:runtimes` after a build.
// `--only node-22,deno` runs some of them; `--grep text` only cases whose name holds the text.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { childSubject, httpCases, runHttpCase, startHttpSuite } from '@caracal/testkit';
import { compared, observations } from './comparison.mjs';
import { gapsOf } from './gaps.mjs';
import { RUNTIMES, subjectCommand } from './runtimes.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' }, grep: { type: 'string', default: '' } } });
const wanted = values.only?.split(',') ?? RUNTIMES.map(({ name }) => name);
const unknown = wanted.find((name) => !RUNTIMES.some((runtime) => runtime.name === name));
if (unknown !== undefined) throw new TypeError(`--only: no ${unknown}; there are ${RUNTIMES.map(({ name }) => name)}`);
const cases = httpCases.filter(({ name }) => name.includes(values.grep));

let reference;

for (const runtime of RUNTIMES.filter(({ name }) => wanted.includes(name))) {
  const startedAt = performance.now();
  const failures = await failuresUnder(runtime);
  for (const { name, error } of failures)
    console.error(`${runtime.name}: ${name}\n  ${String(error?.stack ?? error)}\n`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const gaps = Object.keys(gapsOf(runtime.name)).length;
  const verdict = failures.length === 0 ? 'ok' : `${failures.length} FAILED`;
  console.log(`${runtime.name}: ${verdict}, ${cases.length} cases, ${gaps} declared gaps (${seconds} s)`);
  if (failures.length > 0) process.exitCode = 1;
}

async function failuresUnder(runtime) {
  const command = await subjectCommand(runtime);
  const suite = await startHttpSuite({ start: (config) => childSubject(command, config), gaps: gapsOf(runtime.name) });
  const failures = [];
  for (const httpCase of cases) {
    await runHttpCase(httpCase, suite).catch((error) => failures.push({ name: httpCase.name, error }));
  }
  if (values.grep === '') {
    await compare(suite, runtime).catch((error) => failures.push({ name: 'the comparison', error }));
  }
  await suite.close().catch((error) => failures.push({ name: 'after all cases', error }));
  return failures;
}

async function compare(suite, { raw }) {
  reference ??= await referenceObservations();
  const seen = await observations(suite);
  for (const [name, observation] of Object.entries(reference)) {
    assert.deepEqual(compared(seen[name], raw), compared(observation, raw), name);
  }
}

/** What `node:http` does under this Node, with which all others are compared. */
async function referenceObservations() {
  const command = await subjectCommand(RUNTIMES[0]);
  const suite = await startHttpSuite({ start: (config) => childSubject(command, config) });
  try {
    return await observations(suite);
  } finally {
    await suite.close();
  }
}
