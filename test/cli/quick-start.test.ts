import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePorts } from './world.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

let directory: string;
/** Output of each block, in order. */
let outputs: readonly string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-quick-start-'));
  const text = await readFile(join(root, 'docs', 'quick-start.md'), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
  outputs = await runBlocks(await withFreePorts(blocks));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

// The ports of the document may be taken on the machine that tests it.
async function withFreePorts(blocks: readonly string[]): Promise<readonly string[]> {
  const named = [...new Set(blocks.join('').match(/\b90\d\d\b/g))];
  const ports = await freePorts(named.length);
  return blocks.map((block) => block.replace(/\b90\d\d\b/g, (port) => String(ports[named.indexOf(port)])));
}

/** Runs the blocks in one shell, as somebody who pastes them one after the other. */
async function runBlocks(blocks: readonly string[]): Promise<readonly string[]> {
  const cli = join(root, 'packages', 'server', 'dist', 'cli.js');
  const mark = `--- ${crypto.randomUUID()}`;
  const script = join(directory, 'quick-start.sh');
  const dev = (block: string) => block.replace('caracal dev --once', 'caracal dev --once --port 0');
  await writeFile(
    script,
    [
      'set -e',
      // `wait` below is for jobs that were told to end.
      'set -m',
      'trap "kill %1 %2 2>/dev/null || true" EXIT',
      `caracal() { '${process.execPath}' '${cli}' "$@"; }`,
      ...blocks.map((block) => `${dev(block).replace(/^wait$/m, 'wait || true')}\necho '${mark}'`),
    ].join('\n'),
  );
  const shell = spawn('bash', [script], { cwd: directory, env: { PATH: process.env.PATH, HOME: directory } });
  let out = '';
  let err = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await new Promise((resolve) => shell.once('close', resolve));
  expect(code, `${out}\n${err}`).toBe(0);
  return out.split(`${mark}\n`).slice(0, -1);
}

it('each step of the quick start does what it says', () => {
  const [dev, , check, , , live, call, refused, explained, revoked, audit, profile] = outputs;
  expect(dev).toContain('ready: all five checks passed');
  expect(check).toMatch(/^caracal\.config\.yaml is in order: 1 resource, 1 provider, 1 application/);
  expect(live?.match(/^✓/gm)).toHaveLength(4);
  expect(live).toMatch(/^- missing scope .*\n {4}reporting-agent has no other scope/m);
  expect(live).toMatch(/\nready\n$/);
  expect(call).toBe('{"entries":[{"amount":4200}]}\n');
  expect(JSON.parse(refused!)).toMatchObject({ error: 'insufficient_scope' });
  expect(explained).toMatch(/^refused: insufficient_scope/);
  expect(revoked).toMatch(
    /^revoked: application reporting-agent .*\n\{"error":"session_revoked".*\}lifted: application reporting-agent /,
  );
  expect(audit).toMatch(/request\.authorized .* GET \/entries of resource:\/\/ledger/);
  expect(audit).toMatch(/"error":"session_revoked"/);
  expect(audit).toMatch(/\nok: \d+ records, 1 chain/);
  expect(profile).toContain('CARACAL_APPLICATION_SECRET_ENV=REPORTING_AGENT_SECRET\n');
  expect(outputs.join('')).not.toContain('the-token-of-the-ledger');
});

it('leaves no process behind', async () => {
  const log = await readFile(join(directory, 'my-gateway', 'gateway.log'), 'utf8');
  expect(
    log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .at(-1),
  ).toMatchObject({ event: 'stopped' });
});
