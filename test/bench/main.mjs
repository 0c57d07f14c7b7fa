// What governing costs: the gateway beside a bare relay that does nothing, and beside proxies people already run.
// `pnpm bench` after `pnpm build`; see options.mjs and scenarios.mjs. CPU time per request is the figure to compare: with every
// process on a few cores, requests per second also tell how the load generator fared.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chart } from './chart.mjs';
import { benchInput } from './input.mjs';
import { loadGenerator } from './load/generator.mjs';
import { parseOptions } from './options.mjs';
import { regressions } from './regressions.mjs';
import { machine, summarize, table } from './report.mjs';
import { merged, runAll } from './run-all.mjs';
import { runScenario } from './run-scenario.mjs';
import { measureSizes, sizesTable } from './sizes.mjs';
import { measureStart, startText } from './start.mjs';

const docs = (name) => new URL(`../../docs/${name}`, import.meta.url);
const MARKED = /(<!-- bench -->\n)[\s\S]*(<!-- \/bench -->)/;
const START_ROUNDS = 5;

try {
  const { scenarios, roundsOf, seconds, start, json, write, check } = parseOptions(process.argv.slice(2));
  const input = benchInput();
  const startedAt = performance.now();
  const { results, failures } = await runAll(scenarios, {
    run: async (scenario) => {
      const rounds = roundsOf(scenario);
      const summary = summarize(scenario, await runScenario(scenario, { input, rounds, seconds }));
      const each = Math.max(seconds, scenario.leastSeconds ?? 1);
      const measured = `${whenAndWhere()}; ${loadGenerator().name}, medians of ${rounds} interleaved rounds of ${each} s`;
      return { ...summary, measured };
    },
    tell: (line) => console.error(`${((performance.now() - startedAt) / 60_000).toFixed(1)} min, ${line}`),
    done: (summary) => json || console.log(`${table(summary)}\n`),
  });
  const result = { scenarios: results };
  if (start) {
    // By themselves: what is measured above would be in their way.
    result.sizes = await measureSizes();
    result.start = { ...(await measureStart(START_ROUNDS)), measured: whenAndWhere() };
    if (!json) console.log(startSection(result));
  }
  if (json) console.log(JSON.stringify(result));
  if (write) writeDocuments(merged(result, committed()));
  if (check) report(regressions(result, committed() ?? nothingCommitted()));
  for (const { name, cause } of failures) console.error(`bench: ${name} failed: ${cause.message}`);
  if (failures.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

function startSection({ sizes, start }) {
  return ['## Start and size', '', `${start.measured}.`, '', startText(start), '', sizesTable(sizes)].join('\n');
}

function writeDocuments(result) {
  writeFileSync(docs('benchmarks.json'), `${JSON.stringify(result, null, 2)}\n`);
  const parts = result.scenarios.map(table);
  const first = result.scenarios.find(({ name }) => name === 'cached');
  if (first !== undefined) {
    writeFileSync(docs('benchmarks.svg'), chart(first));
    parts.unshift(`![Requests per second: ${first.title.toLowerCase()}](benchmarks.svg)`);
  }
  if (result.sizes !== undefined) parts.push(startSection(result));
  const before = readFileSync(docs('benchmarks.md'), 'utf8');
  writeFileSync(
    docs('benchmarks.md'),
    before.replace(MARKED, (_, begin, end) => `${begin}\n${parts.join('\n\n')}\n\n${end}`),
  );
}

function committed() {
  const file = docs('benchmarks.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function nothingCommitted() {
  throw new Error(
    '--check compares with docs/benchmarks.json, which is not there: run --write on a quiet machine first',
  );
}

function report(worse) {
  for (const line of worse) console.error(`bench: ${line}`);
  if (worse.length > 0) process.exitCode = 1;
  else console.error('bench: no ratio is worse than the committed ones beyond twice the spread of its control');
}

function whenAndWhere() {
  return `${new Date().toISOString().slice(0, 10)}, ${machine()}`;
}
