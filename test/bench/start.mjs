// How long a whole gateway takes from process start to its first governed call, and what it holds when it rests:
// `caracal dev`, built, in a process of its own: token service, gateway, admin endpoint, demo API, journal on disk.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { median } from './report.mjs';

const CLI = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url));
/** Long enough for garbage of the start to be collected. */
const REST_MS = 3_000;

/**
 * Medians over rounds, ms from the start of the process: until the gateway listens, until the first governed call has been
 * answered and its evidence read; and resident memory at rest, bytes (`undefined` where the system does not tell).
 */
export async function measureStart(rounds) {
  const results = [];
  for (let round = 0; round < rounds; round++) results.push(await startOnce(round === rounds - 1));
  const of = (figure) => median(results.map((result) => result[figure]));
  return { listeningMs: of('listeningMs'), firstCallMs: of('firstCallMs'), restingBytes: results.at(-1).restingBytes };
}

/** The result as text. */
export function startText({ listeningMs, firstCallMs, restingBytes }) {
  const memory = restingBytes === undefined ? 'not told here' : `${(restingBytes / 2 ** 20).toFixed(0)} MiB`;
  return [
    `caracal dev listens after ${listeningMs.toFixed(0)} ms, has answered its first governed call after ${firstCallMs.toFixed(0)} ms (medians, from process start)`,
    `memory at rest: ${memory}`,
  ].join('\n');
}

async function startOnce(rest) {
  const directory = await mkdtemp(join(tmpdir(), 'caracal-start-'));
  const startedAt = performance.now();
  const child = spawn(process.execPath, [CLI, 'dev', '--json', '--port', '0'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const result = {};
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const { event, check } = JSON.parse(line);
      if (event === 'listening') result.listeningMs ??= performance.now() - startedAt;
      if (check === 'allowed request') result.firstCallMs = performance.now() - startedAt;
      if (event === 'try') break;
    }
    if (result.firstCallMs === undefined) throw new Error('caracal dev ended without a call');
    if (rest) {
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      result.restingBytes = residentBytes(child.pid);
    }
  } finally {
    child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true });
  }
  return result;
}

function residentBytes(pid) {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(kibibytes) * 1024;
  } catch {
    return undefined; // not Linux
  }
}
