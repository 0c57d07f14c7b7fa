// What governing costs: the gateway beside a bare relay that does nothing, and beside proxies people already run.
// `pnpm bench` after `pnpm build`; see options.mjs. CPU time per request is the figure to compare: with every process
// on a few cores, requests per second also tell how the load generator fared.
import { benchInput } from './input.mjs';
import { loadGenerator } from './load/generator.mjs';
import { parseOptions } from './options.mjs';
import { machine, summarize, table } from './report.mjs';
import { measureRounds } from './rounds.mjs';
import { measureStart, startText } from './start.mjs';
import { chosenTargets, start, startUpstream } from './targets.mjs';

const options = parseOptions(process.argv.slice(2));
const input = await benchInput();
const generator = loadGenerator();
const running = [];

try {
  const upstream = await startUpstream();
  running.push(upstream);
  const started = [];
  for (const target of chosenTargets(options.only)) {
    const proxy = await start(target, { ...input.gateway, upstreamUrl: upstream.url });
    running.push(proxy);
    started.push(proxy);
  }
  const request = { path: input.path, headers: input.headers };
  const rounds = await measureRounds(started, { ...options, generator, request });
  // By itself: what is measured above would be in its way.
  await Promise.all(running.splice(0).map((child) => child.stop()));
  const startUp = await measureStart(options.rounds);
  const result = {
    machine: machine(),
    generator: generator.name,
    ...options,
    ...summarize(started, rounds),
    start: startUp,
  };
  console.log(options.json ? JSON.stringify(result) : `${table(result)}\n\n${startText(startUp)}`);
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
} finally {
  await Promise.all(running.map((child) => child.stop()));
}
