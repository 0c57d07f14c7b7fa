import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnchorKind } from '@caracal/core';
import { loadConfiguration, type RunningServer, startServer } from '@caracal/server';
import { createTestIssuer, type TestIssuer } from '@caracal/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caracal } from './caracal.js';
import { BILLING, freePorts } from './world.js';

const ADMIN_TOKEN = 'admin-token-91d2c3a4f7';

/** Each level: what a mandate of it claims, and the anchors that stand for it. */
const LEVELS: readonly {
  readonly option: string;
  readonly kinds: readonly AnchorKind[];
  readonly claims: (id: string) => Record<string, unknown>;
}[] = [
  { option: 'session', kinds: ['sid', 'agent_session_id'], claims: (id) => ({ sid: id }) },
  { option: 'session', kinds: ['sid', 'agent_session_id'], claims: (id) => ({ agent_session_id: id }) },
  { option: 'root', kinds: ['root_sid'], claims: (id) => ({ root_sid: id }) },
  {
    option: 'delegation',
    kinds: ['delegation_edge_id'],
    // An edge in the middle of the path.
    claims: (id) => ({ delegation_path: ['edge-0', id, 'edge-9'], delegation_edge_id: 'edge-9', hop_count: 3 }),
  },
  { option: 'application', kinds: ['client_id'], claims: (id) => ({ client_id: id }) },
  { option: 'subject', kinds: ['sub'], claims: (id) => ({ sub: id }) },
  { option: 'jti', kinds: ['jti'], claims: (id) => ({ jti: id }) },
];

let directory: string;
let issuer: TestIssuer;
let upstream: Server;
let server: RunningServer;
let url: { readonly gateway: string; readonly admin: string };
let seen = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-kill-'));
  issuer = await createTestIssuer({ issuer: 'https://issuer.example' });
  upstream = createServer((req, res) => {
    seen += 1;
    if (req.url !== '/stream') return res.end('{}');
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: first\n\n');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const [gateway, admin] = await freePorts(2);
  url = { gateway: `http://127.0.0.1:${gateway}`, admin: `http://127.0.0.1:${admin}` };
  const configuration = {
    gateway: { listen: gateway },
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      {
        identifier: BILLING,
        upstreamUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
        allowPrivateNetwork: true,
      },
    ],
    admin: { listen: admin, token: { env: 'ADMIN_TOKEN' } },
  };
  await writeFile(join(directory, 'caracal.config.json'), JSON.stringify(configuration));
  // Before anything runs: straight into the state directory.
  const direct = await command('--session', 'before-the-start');
  expect(direct).toMatch(/, through the state directory\n$/);
  const loaded = await loadConfiguration(undefined, { directory });
  server = await startServer(loaded, { environment: { ADMIN_TOKEN }, log: () => {} });
});

afterAll(async () => {
  await server?.close();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
  await rm(directory, { recursive: true });
});

async function command(...args: string[]): Promise<string> {
  const { code, out, err } = await caracal(['revoke', ...args], { cwd: directory, env: { ADMIN_TOKEN } });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

/** The three ways to revoke and to lift. */
const WAYS: Readonly<Record<string, (level: (typeof LEVELS)[number], id: string, lift: boolean) => Promise<unknown>>> =
  {
    command: async ({ option }, id, lift) => {
      const out = await command(`--${option}`, id, ...(lift ? ['--lift'] : []));
      expect(out).toBe(
        `${lift ? 'lifted' : 'revoked'}: ${option} ${id} of ${issuer.issuer} in zone default, through the admin endpoint\n`,
      );
    },
    'admin endpoint': async ({ kinds }, id, lift) => {
      const answer = await fetch(`${url.admin}/v1/revocations${lift ? '/lift' : ''}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
        body: JSON.stringify({ anchors: kinds.map((kind) => ({ kind, id })) }),
      });
      expect(answer.status).toBe(200);
    },
    library: ({ kinds }, id, lift) =>
      Promise.all(
        kinds.map((kind) => {
          const anchor = { zoneId: 'default', issuer: issuer.issuer, kind, id };
          return lift ? server.revocations.lift(anchor) : server.revocations.revoke(anchor);
        }),
      ),
  };

async function call(mandate: string, path = '/'): Promise<{ error: string | null; requestId: string; status: number }> {
  const { status, headers } = await fetch(url.gateway + path, {
    headers: { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${mandate}` },
  });
  return { status, error: headers.get('x-caracal-error'), requestId: headers.get('x-caracal-request-id') ?? '' };
}

describe.each(Object.entries(WAYS))('a kill switch through the %s', (way, change) => {
  it.each(LEVELS.map((level, index) => [Object.keys(level.claims('')).at(0)!, level, index] as const))(
    'refuses what has this %s, and no other; lifted, it is let through again',
    async (_claim, level, index) => {
      const id = `${way.replace(' ', '-')}-${index}`;
      const mandate = await issuer.mint({ ...level.claims(id), target: [BILLING] });
      const other = await issuer.mint({ ...level.claims(`${id}-other`), target: [BILLING] });
      expect((await call(mandate)).status).toBe(200);
      await change(level, id, false);
      const before = seen;
      const refused = await call(mandate);
      expect(refused).toMatchObject({ status: 401, error: 'session_revoked' });
      expect(seen).toBe(before);
      await expect
        .poll(async () => (await server.journal.trace(refused.requestId)).records.map(({ record }) => record), {
          timeout: 20_000,
        })
        .toEqual([
          expect.objectContaining({ type: 'request.denied', error: 'session_revoked', issuer: issuer.issuer }),
        ]);
      expect((await call(other)).status).toBe(200);
      await change(level, id, true);
      expect((await call(mandate)).status).toBe(200);
    },
  );
});

describe('caracal revoke', () => {
  it('has revoked before the start what was revoked then', async () => {
    const mandate = await issuer.mint({ sid: 'before-the-start', target: [BILLING] });
    expect(await call(mandate)).toMatchObject({ status: 401, error: 'session_revoked' });
  });

  it('cuts streams that are open', async () => {
    const mandate = await issuer.mint({ sid: 'with-a-stream', target: [BILLING] });
    const answer = await fetch(`${url.gateway}/stream`, {
      headers: { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${mandate}` },
    });
    const reader = answer.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: first\n\n');
    await command('--session', 'with-a-stream');
    await expect(reader.read()).rejects.toThrow(); // cut, not ended
    const requestId = answer.headers.get('x-caracal-request-id')!;
    await expect
      .poll(async () => (await server.journal.trace(requestId)).outcome, { timeout: 20_000 })
      .toBe('revoked_mid_stream');
  });

  it('revokes for one issuer and zone alone', async () => {
    const mandate = await issuer.mint({ sub: 'somebody', target: [BILLING] });
    const out = await command(
      '--subject',
      'somebody',
      '--issuer',
      'https://other.example',
      '--zone',
      'other',
      '--json',
    );
    expect(JSON.parse(out)).toEqual({
      revoked: [{ zone: 'other', issuer: 'https://other.example', kind: 'sub', id: 'somebody' }],
      through: 'admin endpoint',
    });
    expect((await call(mandate)).status).toBe(200);
  });

  it.each([
    [[], 2, 'say what to revoke: one of --session, --root, --delegation, --application, --subject, --jti'],
    [['--session', 'a', '--root', 'b'], 2, 'give one of --session'],
    [['--session', ''], 2, '--session is empty'],
    [['--session', 'x'.repeat(513)], 1, 'nothing is certain: the admin endpoint answered 400'],
    [['--sesion', 'a'], 2, 'did you mean --session?'],
  ] as const)('refuses %j', async (args, status, fault) => {
    const ran = await caracal(['revoke', ...args], { cwd: directory, env: { ADMIN_TOKEN } });
    expect({ code: ran.code, out: ran.out }).toEqual({ code: status, out: '' });
    expect(ran.err).toContain(fault);
  });

  it('does not go behind the back of a gateway whose admin endpoint it cannot reach', async () => {
    const [port] = await freePorts(1);
    const { resources, issuers } = server.configuration;
    const elsewhere = { resources, issuers, admin: { listen: port, token: { env: 'ADMIN_TOKEN' } } };
    await writeFile(join(directory, 'elsewhere.json'), JSON.stringify(elsewhere));
    const ran = await caracal(['revoke', '--jti', 'a', '--config', 'elsewhere.json'], {
      cwd: directory,
      env: { ADMIN_TOKEN },
    });
    expect({ code: ran.code, out: ran.out }).toEqual({ code: 1, out: '' });
    expect(ran.err).toContain('is in use by a running gateway, and its admin endpoint does not answer');
  });
});
