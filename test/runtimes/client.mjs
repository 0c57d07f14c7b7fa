// The client's cases, from the built package, on Node, Deno, Bun and in headless Chromium: `pnpm test:runtimes` after a build.
// `--only deno,chromium` runs some of them. Chromium is installed by apt where it is missing and we may.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { startCaseWorld } from '../client/case-world.mjs';
import { requireDebianPackage } from '../servers/debian-package.mjs';
import { RUNTIMES } from './runtimes.mjs';

const run = promisify(execFile);
const DEBIAN_CHROMIUM = '/usr/bin/chromium';
const PROGRAM = fileURLToPath(new URL('client-under.mjs', import.meta.url));
const DEADLINE_MS = 120_000;

/** Runtimes for the client: those a gateway runs on, each once, and browsers. `start` answers a process. */
const CLIENT_RUNTIMES = [
  ...RUNTIMES.filter(({ adapter }) => ['node', 'deno', 'bun'].includes(adapter)).map(({ name, executable, args }) => ({
    name,
    start: async (url) => spawn(await executable(), [...args, PROGRAM, url], { stdio: 'inherit' }),
  })),
  { name: 'chromium', start: startChromium },
];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',') ?? CLIENT_RUNTIMES.map(({ name }) => name);
const unknown = wanted.find((name) => !CLIENT_RUNTIMES.some((runtime) => runtime.name === name));
if (unknown !== undefined) throw new TypeError(`--only: no ${unknown}`);

for (const { name, start } of CLIENT_RUNTIMES.filter((runtime) => wanted.includes(runtime.name))) {
  const startedAt = performance.now();
  const results = await resultsUnder(start).catch((error) => [{ name: 'all', error: String(error?.stack ?? error) }]);
  const failures = results.filter(({ error }) => error !== undefined);
  for (const failure of failures) console.error(`${name}: ${failure.name}\n  ${failure.error}\n`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const verdict = failures.length === 0 ? 'ok' : `${failures.length} FAILED`;
  console.log(`client on ${name}: ${verdict}, ${results.length} cases (${seconds} s)`);
  if (failures.length > 0) process.exitCode = 1;
}

async function resultsUnder(start) {
  const world = await startCaseWorld();
  let child;
  let timer;
  try {
    child = await start(world.url);
    const ended = new Promise((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => code !== 0 && reject(new Error(`it ended with ${code} before it reported`)));
      timer = setTimeout(() => reject(new Error(`it did not report within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    });
    return await Promise.race([world.reported, ended]);
  } finally {
    clearTimeout(timer);
    child?.removeAllListeners('exit');
    child?.kill();
    await world.close();
  }
}

async function startChromium(url) {
  const chromium = await installedChromium();
  const profile = await mkdtemp(join(tmpdir(), 'caracal-chromium-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const child = spawn(chromium, [...flags, `--user-data-dir=${profile}`, url], { stdio: 'ignore' });
  child.once('close', () => void rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  return child;
}

async function installedChromium() {
  const found = await run('sh', [
    '-c',
    'command -v chromium || command -v chromium-browser || command -v google-chrome',
  ]).catch(() => undefined);
  if (found !== undefined) return found.stdout.trim();
  requireDebianPackage({ program: 'Chromium', package: 'chromium', isHere: () => existsSync(DEBIAN_CHROMIUM) });
  return DEBIAN_CHROMIUM;
}
