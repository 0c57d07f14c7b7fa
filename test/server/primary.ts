import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import type { ServerWorld } from './server.js';

/** A server in a process of its own, with workers or without, by the file of a world whose own server was closed. */
export interface Primary {
  readonly child: ChildProcess;
  /** By the name of the listener. */
  readonly url: Readonly<Record<string, string>>;
  /** The signed heads it has printed, where its configuration says that it does. */
  heads(): readonly string[];
  /** What it has logged until now. */
  log(): string;
  /** Lines of the log with this event. */
  events(event: string): readonly { readonly pid: number; readonly message?: string }[];
  /** Kills it where it still runs, also where it is stopped. */
  kill(): void;
}

/** Starts it and waits until it listens. Without `workers` it serves by itself. */
export async function startPrimary(world: ServerWorld, workers?: number): Promise<Primary> {
  await world.server.close(); // its state directory is the child's now
  const runner = fileURLToPath(new URL('../chaos/run-typescript.mjs', import.meta.url));
  const program = fileURLToPath(new URL('./server-process.ts', import.meta.url));
  const child = fork(runner, [program, world.file, ...(workers === undefined ? [] : [String(workers)])], {
    env: { ...process.env, ...world.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let out = '';
  let log = '';
  child.stdout!.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    log += chunk;
  });
  const lines = () => out.split('\n').slice(0, -1);
  const listening = () => lines().filter((line) => line.includes('"event":"listening"'));
  await vi.waitFor(() => expect(listening().length, log).toBe(3), { timeout: 120_000 });
  const listeners = listening().map((line) => JSON.parse(line) as { name: string; url: string });
  return {
    child,
    url: Object.fromEntries(listeners.map(({ name, url }) => [name, url])),
    heads: () => lines().filter((line) => line.includes('"caracal.audit.head"')),
    log: () => log,
    events: (event) =>
      log
        .split('\n')
        .filter((line) => line.includes(`"${event}"`))
        .map((line) => JSON.parse(line)),
    kill: () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    },
  };
}
