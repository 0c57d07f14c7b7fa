import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { RECOMMENDED_REDIS_OPTIONS } from '@caracal/redis';
import { Redis } from 'ioredis';
import { requireDebianPackage } from './debian-package.mjs';

/** A Redis server of a test's own. */
export interface RedisServer {
  readonly port: number;
  /** A connected client, closed with the server. */
  connect(options?: Partial<typeof RECOMMENDED_REDIS_OPTIONS>): Promise<Redis>;
  /** Sends the process a signal. `SIGSTOP` pauses it, `SIGCONT` lets it go on. */
  signal(signal: NodeJS.Signals): void;
  /** Kills the process and waits for its end. */
  kill(): Promise<void>;
  /** Starts it again on the same port: with what it has kept on disk, which without `appendonly` is nothing. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** A server that is only used, never taken away: the one of `REDIS_URL`, which others may use too, else one of the test's own. */
export async function useRedis(): Promise<Pick<RedisServer, 'connect' | 'close'> & { readonly url: string }> {
  const { REDIS_URL: url } = process.env;
  if (url === undefined) {
    const server = await startRedis();
    return { ...server, url: `redis://127.0.0.1:${server.port}` };
  }
  const clients = new Set<Redis>();
  return {
    url,
    connect: async (more = {}) => {
      const client = new Redis(url, more);
      clients.add(client);
      await once(client, 'ready');
      return client;
    },
    close: async () => {
      for (const client of clients) client.disconnect();
    },
  };
}

/** Arguments of the server, as on its command line. */
export interface RedisServerOptions {
  readonly arguments?: readonly string[];
  readonly port?: number;
  /** `--sentinel` and the like: a configuration file instead of arguments. */
  readonly configuration?: string;
}

const START_TIMEOUT_MS = 20_000;
let installed = false;

/** Starts `redis-server` on a free port of loopback, with nothing kept on disk unless its arguments say so. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  requireRedisServer();
  const directory = mkdtempSync(join(tmpdir(), 'caracal-redis-'));
  const port = options.port ?? (await freePort());
  const clients = new Set<Redis>();
  const line = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--daemonize', 'no'];
  let child = await launch();

  async function launch(): Promise<ChildProcess> {
    const args = options.configuration === undefined ? line : [options.configuration, '--sentinel'];
    const started = spawn('redis-server', [...args, ...(options.arguments ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    started.stdout.on('data', (chunk) => {
      output += chunk;
    });
    started.stderr.resume();
    await untilItAnswers(port, () => {
      if (started.exitCode !== null) throw new Error(`redis-server ended: ${output.slice(-500)}`);
    });
    return started;
  }

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  return {
    port,
    connect: async (more = {}) => {
      const client = new Redis({ port, host: '127.0.0.1', ...more });
      client.on('error', () => undefined); // a test that takes the server away knows
      clients.add(client);
      await once(client, 'ready');
      return client;
    },
    signal: (signal) => void child.kill(signal),
    kill,
    restart: async () => {
      await kill();
      child = await launch();
    },
    close: async () => {
      for (const client of clients) client.disconnect();
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilItAnswers(port: number, stillThere: () => void): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    stillThere();
    const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.ping();
      return;
    } catch (cause) {
      if (performance.now() > until) throw new Error(`redis-server on port ${port} does not answer`, { cause });
      await setTimeout(20);
    } finally {
      client.disconnect();
    }
  }
}

/**
 * Redis on the PATH, or from the system's packages where this process may install them.
 *
 * @throws Error with the remedy: a suite over a real server never passes by being skipped.
 */
function requireRedisServer(): void {
  if (installed) return;
  requireDebianPackage({ program: 'redis-server on the PATH', package: 'redis-server', isHere: isInstalled });
  installed = true;
}

function isInstalled(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}
