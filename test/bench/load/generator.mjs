import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * wrk where it is installed: it costs the least of the cores it shares with what is measured. Else autocannon.
 *
 * `load` answers { requests, failures, seconds, p50Ms, p99Ms }; `failures` counts errors and answers that are not 2xx.
 */
export function loadGenerator() {
  const hasWrk = spawnSync('wrk', ['-v']).error === undefined;
  return hasWrk ? { name: 'wrk', load: loadWithWrk } : { name: 'autocannon', load: loadWithAutocannon };
}

async function loadWithWrk({ url, headers, connections, seconds }) {
  const flags = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '5s', '-s', path('wrk.lua')];
  const headerFlags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const { stdout } = await run('wrk', [...flags, ...headerFlags, url]);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n{') + 1));
}

/** So many requests a second, no more: `rate`. With autocannon, because wrk knows only as fast as it can. */
export const loadSteadily = loadWithAutocannon;

async function loadWithAutocannon(options) {
  const { stdout } = await run(process.execPath, [path('autocannon.mjs'), JSON.stringify(options)]);
  return JSON.parse(stdout);
}

function path(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}
