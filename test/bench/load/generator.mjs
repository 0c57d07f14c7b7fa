import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * wrk where it is installed: it costs the least of the cores it shares with what is measured. Else autocannon.
 *
 * `load({ url, method, headers, bodyBytes, mandatesFile, mintForm, connections, seconds })` answers { requests, failures, seconds,
 * p50Ms, p99Ms }; `failures` counts errors and answers that are not 2xx. autocannon takes no `mandatesFile`. With `mintForm` each
 * request has a mandate that was asked for with that form before; the times are those of both kinds of request, which alternate.
 */
export function loadGenerator() {
  const hasWrk = spawnSync('wrk', ['-v']).error === undefined;
  return hasWrk ? { name: 'wrk', load: loadWithWrk } : { name: 'autocannon', load: loadWithAutocannon };
}

/**
 * `rate` requests a second, sent when they are due whether or not those before are answered: the latency of each counts from
 * when it was due. Same answer as `load`, and `status`: how often each was answered.
 */
export async function loadPaced(options) {
  return child('paced.mjs', options);
}

async function loadWithWrk({ url, method = 'GET', headers, bodyBytes = 0, connections, seconds, ...given }) {
  const { mandatesFile = '', mintForm = '' } = given;
  const flags = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '20s', '-s', path('wrk.lua')];
  const headerFlags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const script = ['--', method, String(bodyBytes), mandatesFile, mintForm];
  const { stdout } = await run('wrk', [...flags, ...headerFlags, url, ...script]);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n{') + 1));
}

async function loadWithAutocannon(options) {
  if ((options.mandatesFile ?? options.mintForm) !== undefined)
    throw new TypeError('a mandate for each request needs wrk: install it');
  return child('autocannon.mjs', options);
}

async function child(program, options) {
  const { stdout } = await run(process.execPath, [path(program), JSON.stringify(options)]);
  return JSON.parse(stdout);
}

function path(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}
