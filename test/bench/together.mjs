import cluster from 'node:cluster';
import { subscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuMicros, rssMiB } from './proc.mjs';

const COUNTS = 'CARACAL_BENCH_COUNTS';

/** In a process that serves beside others: counts its requests, and says how many in a file when it gets a signal. */
export function countForOthers() {
  const counted = counting();
  // A signal is no message of the workers' own channel.
  process.on('SIGUSR2', () => writeFileSync(join(process.env[COUNTS], String(process.pid)), `${counted()}\n`));
}

/**
 * In the process that the bench has started: answers for what all processes of one server have used, and for the requests of each that
 * serves. Call it before workers are started, which get `environment`; then tell the port.
 */
export function usageOfAll({ workers }) {
  const directory = mkdtempSync(join(tmpdir(), 'caracal-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const counted = counting();
  const pids = () => Object.values(cluster.workers ?? {}).map((worker) => worker.process.pid);
  process.on('message', async (message) => {
    if (message !== 'usage') return;
    const all = [process.pid, ...pids()];
    const requests =
      workers === undefined ? [counted()] : await Promise.all(pids().map((pid) => askedOf(pid, directory)));
    process.send({
      cpuMicros: all.reduce((sum, pid) => sum + cpuMicros(pid), 0),
      rssMiB: all.reduce((sum, pid) => sum + rssMiB(pid), 0),
      requests,
    });
  });
  process.on('disconnect', () => process.exit());
  return { directory, environment: { [COUNTS]: directory }, tellPort: (port) => process.send({ port }) };
}

function counting() {
  let requests = 0;
  subscribe('http.server.request.start', () => {
    requests += 1;
  });
  return () => requests;
}

async function askedOf(pid, directory) {
  const file = join(directory, String(pid));
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    await pause(5);
    const text = readIfThere(file);
    if (text.endsWith('\n')) return Number(text);
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // not yet
  }
}
