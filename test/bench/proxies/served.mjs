// `caracal serve` as it is, without workers or with them. What it has used is that of all its processes; each that serves counts its
// requests.
import cluster from 'node:cluster';
import { subscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { configurationOf, isWorkerProcess, runWorker, startServer } from '@caracal/server';
import { gatewayOptions } from '../input.mjs';
import { cpuMicros, rssMiB } from '../proc.mjs';

const COUNTS = 'CARACAL_BENCH_COUNTS';

if (isWorkerProcess()) {
  const counted = counting();
  // A signal is no message of the workers' own channel.
  process.on('SIGUSR2', () => writeFileSync(join(process.env[COUNTS], String(process.pid)), `${counted()}\n`));
  await runWorker();
} else await serveAll(JSON.parse(process.argv[2]));

function counting() {
  let requests = 0;
  subscribe('http.server.request.start', () => {
    requests += 1;
  });
  return () => requests;
}

async function serveAll({ workers, ...config }) {
  const directory = mkdtempSync(join(tmpdir(), 'caracal-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const counted = counting();
  const environment = { ...process.env, UPSTREAM_KEY: 'bench-upstream-key', [COUNTS]: directory };
  const server = await startServer(configurationOf(configurationFor(config), directory), {
    environment,
    log: ({ level, event, message }) => level === 'error' && console.error(event, message),
    ...(workers === undefined ? {} : { workers }),
  });
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
  process.send({ port: Number(new URL(server.listeners[0].url).port) });
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

// What input.mjs makes for `createGateway`, as a configuration says it.
function configurationFor(config) {
  const options = gatewayOptions({ apiKey: ({ secret: _, ...provider }) => provider, Secret: class {} }, config);
  const [{ provider }] = options.resources;
  return {
    gateway: { listen: 0 },
    issuers: options.issuers,
    providers: [{ ...provider, kind: 'api_key', secret: { env: 'UPSTREAM_KEY' } }],
    resources: options.resources.map((resource) => ({ ...resource, provider: provider.id })),
  };
}
