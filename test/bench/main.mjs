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
import { runScenario } from './run-scenario.mjs';
import { measureSizes, sizesTable } from './sizes.mjs';
import { measureStart, startText } from './start.mjs';

const docs = (name) => new URL(`../../docs/${name}`, import.meta.url);
const MARKED = /(<!-- bench -->\n)[\s\S]*(<!-- \/bench -->)/;

try {
  const { scenarios, rounds, seconds, json, write, check } = parseOptions(process.argv.slice(2));
  const input = benchInput();
  const result = { machine: machine(), generator: loadGenerator().name, rounds, seconds, scenarios: [] };
  console.error(`${result.machine}; ${result.generator}, medians of ${rounds} interleaved rounds of ${seconds} s`);
  for (const scenario of scenarios) {
    console.error(`${result.scenarios.length + 1}/${scenarios.length} ${scenario.title}`);
    const summary = summarize(scenario, await runScenario(scenario, { input, rounds, seconds }));
    result.scenarios.push(summary);
    if (!json) console.log(`${table(summary)}\n`);
  }
  // By themselves: what is measured above would be in their way.
  result.sizes = await measureSizes();
  result.start = await measureStart(rounds);
  if (json) console.log(JSON.stringify(result));
  else console.log(startSection(result));
  if (write) writeDocuments(result);
  if (check) report(regressions(result, committed()));
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

function startSection({ sizes, start }) {
  return ['## Start and size', '', startText(start), '', sizesTable(sizes)].join('\n');
}

function writeDocuments(result) {
  writeFileSync(docs('benchmarks.json'), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(docs('benchmarks.svg'), chart(result.scenarios[0]));
  const { machine, generator, rounds, seconds } = result;
  const head = `${machine}; ${generator}, medians of ${rounds} interleaved rounds of ${seconds} s.`;
  const picture = `![Requests per second: ${result.scenarios[0].title.toLowerCase()}](benchmarks.svg)`;
  const text = [head, picture, ...result.scenarios.map(table), startSection(result)].join('\n\n');
  writeFileSync(
    docs('benchmarks.md'),
    readFileSync(docs('benchmarks.md'), 'utf8').replace(MARKED, `$1\n${text}\n\n$2`),
  );
}

function committed() {
  const file = docs('benchmarks.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  throw new Error(
    '--check compares with docs/benchmarks.json, which is not there: run --write on a quiet machine first',
  );
}

function report(worse) {
  for (const line of worse) console.error(`bench: ${line}`);
  if (worse.length > 0) process.exitCode = 1;
  else console.error('bench: no ratio is worse than the committed ones beyond twice the spread of its control');
}
