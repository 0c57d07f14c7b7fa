import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const document = readFileSync(new URL('../../docs/tutorial.md', import.meta.url), 'utf8');
// Below test/, so that its programs find the packages, as they would after the tutorial's npm install.
const directory = fileURLToPath(new URL(`.blocks/tutorial-${process.pid}`, import.meta.url));
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

interface Block {
  readonly language: string;
  /** What follows the language: `file=NAME`, `server`, `npm` or nothing. */
  readonly info: string;
  readonly text: string;
}

let blocks: readonly Block[];
let ports: ReadonlyMap<string, string>;
const servers: ChildProcess[] = [];

/** As printed, but for the ports: those may be taken. */
function withFreePorts(text: string): string {
  return text.replace(/127\.0\.0\.1:(\d{4})|listen\((\d{4})/g, (whole, ...numbers) => {
    const printed = numbers.find((number) => number !== undefined) as string;
    return whole.replace(printed, ports.get(printed) ?? printed);
  });
}

const cli = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url));

/** The workspace's command for the installed one. */
function withBuiltCommand(command: string): string {
  return command.replace('npx caracal', `'${process.execPath}' '${cli}'`);
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

async function startServer(command: string): Promise<void> {
  const child = spawn('sh', ['-c', `exec env ${withBuiltCommand(command)}`], {
    cwd: directory,
    env: { PATH: process.env.PATH },
  });
  servers.push(child);
  let output = '';
  const lines = command.includes('caracal serve') ? 3 : 1;
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.split('\n').length > lines) resolve();
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${output}`)));
  });
}

beforeAll(async () => {
  ports = new Map(
    await Promise.all(['9000', '8080', '8081', '8082'].map(async (port) => [port, await freePort()] as const)),
  );
  blocks = [...document.matchAll(/^```(\w+) ?([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language, info, text]) => ({
    language: language!,
    info: info!,
    text: withFreePorts(text!),
  }));
  mkdirSync(directory, { recursive: true });
});

afterAll(async () => {
  for (const child of servers.filter(({ exitCode }) => exitCode === null)) {
    const ended = new Promise((resolve) => child.removeAllListeners('exit').once('exit', resolve));
    child.kill();
    await ended;
  }
  rmSync(directory, { recursive: true, force: true });
});

/** Seconds where nothing else runs; a busy machine may take its time. */
const SLOWEST_MS = 180_000;

describe('the tutorial', () => {
  it(
    'works as it is printed, step by step',
    async () => {
      let output = '';
      let requestId = '';
      const refusals: string[] = [];
      for (const { language, info, text } of blocks) {
        if (info === 'npm') continue; // the workspace stands in for it
        if (info.startsWith('file=')) writeFileSync(`${directory}/${info.slice(5)}`, text);
        else if (info === 'server') await startServer(text);
        else if (language === 'sh') {
          const { stdout } = await promisify(execFile)('sh', ['-c', withBuiltCommand(text.replace(UUID, requestId))], {
            cwd: directory,
            env: { PATH: process.env.PATH },
          });
          output = stdout;
          requestId = stdout.match(/^\{ invoice: .*\n(\S+)\n$/)?.[1] ?? requestId;
          if (text.includes('audit query')) refusals.push(...stdout.trim().split('\n'));
          if (text.includes('audit trace')) {
            expect(stdout).toContain(`request ${requestId}: executed\n`);
            expect(stdout).toMatch(/mandate\.issued[\s\S]*request\.authorized[\s\S]*request\.completed/);
          }
          if (text.includes('caracal revoke')) expect(stdout).toMatch(/^revoked: application billing-agent /);
        } else if (language === 'text') expect(output.replace(UUID, 'UUID')).toBe(text.replace(UUID, 'UUID'));
        else throw new Error(`nothing runs this block: ${text}`);
      }
      const errors = refusals.map((line) => JSON.parse(line)).map(({ error, record }) => error ?? record.error);
      expect(errors.toSorted()).toEqual(['insufficient_scope', 'invalid_target', 'operation_not_permitted']);
    },
    SLOWEST_MS,
  );

  it('leaves no key to the agent', () => {
    const after = blocks.filter(({ info }) => /file=(agent|beyond|stopped)\.mjs/.test(info)).map(({ text }) => text);
    expect(after).toHaveLength(3);
    const profile = readFileSync(`${directory}/agent.env`, 'utf8');
    expect(profile).not.toContain('only-for-trying');
    for (const text of [...after, profile]) expect(text).not.toMatch(/sk_live|BILLING_KEY/);
  });
});
