import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { httpBasic, Secret } from '@caracal/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.js';
import { expectOwnCredentialOnly, startStandIn } from './stand-in.js';

const run = promisify(execFile);
const BASIC = `Basic ${Buffer.from('deploy:the-real-password').toString('base64')}`;
const closing: (() => Promise<unknown>)[] = [];
let directory = '';

/** Git's own server, as any web server would run it. */
function gitHttpBackend(req: IncomingMessage, res: ServerResponse): void {
  const { pathname, search } = new URL(req.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(req.headers['git-protocol'] ?? ''),
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: req.method,
      CONTENT_TYPE: req.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(req.headers['content-encoding'] ?? ''),
      REMOTE_USER: 'deploy',
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  child.stdin.on('error', () => {}); // it may end without reading its input
  req.pipe(child.stdin);
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.on('close', () => {
    const all = Buffer.concat(output);
    const end = all.indexOf('\r\n\r\n');
    for (const header of all.subarray(0, end).toString().split('\r\n')) {
      const [name, value] = header.split(': ');
      if (name === 'Status') res.statusCode = Number.parseInt(value!, 10);
      else res.setHeader(name!, value!);
    }
    res.end(all.subarray(end + 4));
  });
}

async function setUp() {
  const upstream = await startStandIn(gitHttpBackend);
  const gateway = await startGateway(() => [
    {
      identifier: 'resource://git',
      upstreamUrl: upstream.url,
      allowPrivateNetwork: true,
      provider: httpBasic({
        id: 'provider://git',
        username: 'deploy',
        secret: new Secret('the-real-password'),
        origins: [upstream.url],
      }),
    },
  ]);
  closing.push(gateway.close, upstream.close);
  return { upstream, gateway, mandate: await gateway.mint() };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-git-'));
  closing.push(() => rm(directory, { recursive: true }));
  const work = join(directory, 'work');
  await run('git', ['init', '--quiet', '--initial-branch=main', work]);
  await writeFile(join(work, 'README'), 'governed\n');
  await writeFile(join(work, 'large'), Buffer.alloc(3_000_000, 'ab\n'));
  await run('git', ['-C', work, 'add', '.']);
  const as = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  await run('git', ['-C', work, ...as, 'commit', '--quiet', '-m', 'first']);
  await run('git', ['clone', '--quiet', '--bare', work, join(directory, 'project.git')]);
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('git and curl', () => {
  it('git clones over the gateway', async () => {
    const { upstream, gateway, mandate } = await setUp();
    const target = join(directory, 'clone');
    const headers = [`Authorization: Bearer ${mandate}`, 'X-Caracal-Resource: resource://git'];
    const config = headers.flatMap((header) => ['-c', `http.extraHeader=${header}`]);
    await run('git', [...config, 'clone', '--quiet', `${gateway.url}/project.git`, target], {
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
    });
    expect(await readFile(join(target, 'README'), 'utf8')).toBe('governed\n');
    expectOwnCredentialOnly(upstream, 'authorization', BASIC, mandate);
  });

  it('curl uploads a file, waiting for 100 Continue, and sees the refusal of a bad mandate before sending it', async () => {
    const { upstream, gateway, mandate } = await setUp();
    const file = join(directory, 'work', 'large');
    const args = (token: string) => [
      ...['--silent', '--show-error', '--max-time', '20', '-H', 'Expect: 100-continue', '--data-binary', `@${file}`],
      ...['-H', `Authorization: Bearer ${token}`, '-H', 'X-Caracal-Resource: resource://git'],
      ...['--write-out', '%{http_code} %{size_upload}', '-o', '/dev/null', `${gateway.url}/anything`],
    ];
    const refused = await run('curl', args('bad'));
    expect(refused.stdout).toBe('401 0');
    expect(upstream.seen).toEqual([]);
    const sent = await run('curl', args(mandate));
    expect(sent.stdout).toMatch(/^\d+ 3000000$/);
    expectOwnCredentialOnly(upstream, 'authorization', BASIC, mandate);
  });
});
