import { appendFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { generateSealingKey } from '@caracal/core';
import { putResource } from '@caracal/postgres';
import { type ConfigurationFile, startServer } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { MiniBrowser } from '../oauth/mini-browser.js';
import { ADMIN_TOKEN, AGENT_SECRET, type ServerWorld, serverWorld, UPSTREAM_KEY } from '../server/server.js';
import { type TestDatabase, testDatabase } from '../servers/postgres.js';
import { freePort, type RedisServer, startRedis } from '../servers/redis.js';
import { type Canaries, canariesIn, mandateCanaries } from './canary.js';
import { dumpDirectory, dumpPostgres, dumpRedis } from './dump.js';
import { capturedConsole } from './observed-world.js';
import { reachableTexts } from './reachable.js';

const PATIENCE = { timeout: 60_000 };
const JSON_BODY = { 'Content-Type': 'application/json' };
const INSPECTED = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null };

/** Secrets of ours, by the variable that holds them. */
const SECRETS: Record<string, string> = {
  CLIENT_SECRET,
  QUERY_KEY: 'query-key-canary-3a91',
  BASIC_PASSWORD: 'basic-password-canary-7d20',
  BEARER_TOKEN: 'bearer-token-canary-b8c4',
  GATEWAY_SECRET: 'gateway-secret-canary-55e1',
  WRONG_SECRET: 'wrong secret/canary+0f6b',
  SEALING_KEY: generateSealingKey().reveal(),
  REDIS_KEY: Buffer.alloc(32, 'redis-signing-key-canary').toString('base64'),
  REDIS_PASSWORD: 'redis-password-canary-19aa',
};
/** What callers send for the upstream alone. */
const SENT: Canaries = {
  query: 'sent-query-canary-4410',
  header: 'sent-header-canary-91fe',
  body: 'sent-body-canary-c0de',
};

const KINDS = ['key', 'query', 'basic', 'bearer', 'machine', 'failing', 'dead', 'files', 'peer'] as const;
type Kind = (typeof KINDS)[number];
const resourceOf = (kind: Kind) => `resource://${kind}`;

let captured: ReturnType<typeof capturedConsole>;
let database: TestDatabase;
let redis: RedisServer;
let authorization: AuthorizationServer;
let upstream: Server;
let world: ServerWorld;
/** What was learned while calls were made, and must be found nowhere. */
const learned = new Map<string, string>();
/** What the upstream was sent. */
const sent: string[] = [];
const heads: string[] = [];

function learn(name: string, text: unknown): void {
  if (typeof text === 'string' && text.length >= 8) learned.set(`${name} ${learned.size}`, text);
}

function learnMandate(name: string, mandate: string): void {
  learn(name, mandate);
  for (const [part, text] of Object.entries(mandateCanaries(mandate))) learn(`${name} ${part}`, text);
}

beforeAll(async () => {
  captured = capturedConsole();
  database = await testDatabase();
  redis = await startRedis();
  const client = await redis.connect();
  // The memory of what was used has been there for long: a fresh one believes nobody for a minute.
  for (let part = 0; part < 16; part++) await client.set(`{caracal:replay:${part}}:begins`, '1');
  await client.config('SET', 'requirepass', SECRETS.REDIS_PASSWORD!);
  const tokenPort = await freePort();
  const publicUrl = `http://127.0.0.1:${tokenPort}`;
  authorization = await startAuthorizationServer({
    clients: () => [
      {
        client_id: 'machine',
        client_secret: CLIENT_SECRET,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
      {
        client_id: 'people',
        client_secret: CLIENT_SECRET,
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [`${publicUrl}/connect/callback/files`],
      },
    ],
  });
  upstream = createServer((req: IncomingMessage, res) => {
    sent.push(`${req.url} ${req.rawHeaders.join(' ')}`);
    req.resume();
    // A path for each credential that is no longer good.
    res.writeHead(req.url?.startsWith('/v1/refused') ? 401 : 200, { 'X-Upstream': 'upstream-header' });
    res.end('{}');
  });
  await new Promise<void>((resolve) => {
    upstream.listen(0, '127.0.0.1', resolve);
  });
  const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const environment: Record<string, string> = {
    ...SECRETS,
    DATABASE_URL: database.url,
    REDIS_URL: `redis://:${SECRETS.REDIS_PASSWORD}@127.0.0.1:${redis.port}`,
  };
  world = await serverWorld(
    (usual) => configuration(usual, { upstreamUrl, tokenPort }),
    { log: undefined, stdout: { write: (text: string) => heads.push(text) } } as never,
    environment,
  );
}, 180_000);

afterAll(async () => {
  await world?.close();
  await new Promise((resolve) => upstream?.close(resolve));
  await authorization?.close();
  await redis?.close();
  await database?.drop();
  captured?.restore();
}, 60_000);

function configuration(
  usual: ConfigurationFile,
  at: { readonly upstreamUrl: string; readonly tokenPort: number },
): ConfigurationFile {
  const client = { issuer: authorization.issuer, allowPrivateNetwork: true };
  const machine = { kind: 'oauth2_client_credentials', clientId: 'machine' } as const;
  const providers: NonNullable<ConfigurationFile['providers']> = [
    { id: 'provider://key', kind: 'api_key', headerName: 'X-Api-Key', secret: { env: 'UPSTREAM_KEY' } },
    { id: 'provider://query', kind: 'api_key', queryParam: 'api_key', secret: { env: 'QUERY_KEY' } },
    { id: 'provider://basic', kind: 'http_basic', username: 'robot', secret: { env: 'BASIC_PASSWORD' } },
    { id: 'provider://bearer', kind: 'bearer_token', secret: { env: 'BEARER_TOKEN' } },
    { id: 'provider://machine', ...machine, ...client, clientSecret: { env: 'CLIENT_SECRET' } },
    { id: 'provider://failing', ...machine, ...client, clientSecret: { env: 'WRONG_SECRET' } },
    {
      id: 'provider://dead',
      ...machine,
      allowPrivateNetwork: true,
      tokenEndpoint: 'http://127.0.0.1:9/token',
      clientSecret: { env: 'WRONG_SECRET' },
    },
    {
      id: 'provider://files',
      kind: 'oauth2_authorization_code',
      title: 'Files',
      clientId: 'people',
      scopes: ['openid', 'offline_access'],
      authorizationParameters: { prompt: 'consent' },
      ...client,
      clientSecret: { env: 'CLIENT_SECRET' },
    },
    { id: 'provider://peer', kind: 'caracal_mandate' },
  ];
  const [agent] = usual.tokenService!.applications;
  return {
    ...usual,
    gateway: {
      ...usual.gateway,
      identity: { application: 'gateway', secret: { env: 'GATEWAY_SECRET' } },
      audit: { heads: 'stdout' },
    },
    tokenService: {
      ...usual.tokenService!,
      listen: at.tokenPort,
      applications: [
        { ...agent!, grants: KINDS.map((kind) => ({ resource: resourceOf(kind), scopes: ['read'] })) },
        { id: 'gateway', secret: { env: 'GATEWAY_SECRET' } },
      ],
    },
    sealing: { keys: [{ id: 'k1', key: { env: 'SEALING_KEY' } }] },
    providers,
    resources: KINDS.map((kind) => ({
      identifier: resourceOf(kind),
      scopes: ['read'],
      upstreamUrl: at.upstreamUrl,
      allowPrivateNetwork: true,
      provider: `provider://${kind}`,
      ...(kind === 'peer' && { gatewayApplication: 'gateway' }),
    })),
    stores: {
      redis: { url: { env: 'REDIS_URL' }, signingKey: { env: 'REDIS_KEY' } },
      postgres: { url: { env: 'DATABASE_URL' } },
    },
  };
}

async function mandateFor(kind: Kind): Promise<string> {
  const answer = await fetch(`${world.url.tokenService}/oauth/2/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`billing-agent:${AGENT_SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: resourceOf(kind), scope: 'read' }),
  });
  const { access_token: mandate } = (await answer.json()) as { access_token: string };
  learnMandate('mandate', mandate);
  return mandate;
}

async function call(kind: Kind, mandate: string | undefined, path = '/v1/good', method = 'GET'): Promise<Response> {
  return fetch(`${world.url.gateway}${path}?q=${SENT.query}&api_key=mine`, {
    method,
    headers: {
      'X-Caracal-Resource': resourceOf(kind),
      'X-Custom': SENT.header!,
      Cookie: `id=${SENT.header}`,
      ...(mandate !== undefined && { Authorization: `Bearer ${mandate}` }),
    },
    ...(method === 'POST' && { body: SENT.body! }),
  });
}

const outcome = async (answer: Promise<Response>) => {
  const { status, headers } = await answer;
  return [status, headers.get('x-caracal-error')];
};

/** Connects an account by an invitation of the admin endpoint, and learns everything that is secret on the way. */
async function connectAccount(): Promise<void> {
  const whose = { provider: 'provider://files', issuer: world.url.tokenService, subject: 'billing-agent' };
  const body = JSON.stringify(whose);
  const invited = await world.admin('/v1/connections/invitations', { method: 'POST', headers: JSON_BODY, body });
  const { connect_uri } = (await invited.json()) as { connect_uri: string };
  const browser = new MiniBrowser();
  const consent = await browser.submit(await browser.open(connect_uri), { do: 'connect' });
  expect((await browser.signIn(consent, 'robot@upstream')).text).toContain('Files is connected');
  for (const visited of browser.visited) {
    const { searchParams } = new URL(visited);
    for (const name of ['t', 'code', 'state', 'nonce', 'code_challenge', 'session_state'])
      learn(name, searchParams.get(name));
  }
}

function learnOfTokenRequests(): void {
  for (const { parameters, answer } of authorization.tokenRequests) {
    for (const name of ['code', 'code_verifier', 'refresh_token', 'client_assertion']) learn(name, parameters[name]);
    for (const name of ['access_token', 'refresh_token', 'id_token']) learn(name, answer[name]);
  }
}

async function storedRequests(): Promise<number> {
  const { rows } = await database.pool.query(
    `SELECT count(*)::int AS count FROM caracal.audit_entries WHERE type IN ('request.completed', 'request.denied')`,
  );
  return rows[0].count;
}

/** Everything an operator, a back-up, a log collector or whoever breaks into a store could see, by where it is. */
async function dump(): Promise<Readonly<Record<string, string>>> {
  const client = await redis.connect({ password: SECRETS.REDIS_PASSWORD! } as never);
  const generation = world.server.gateway as unknown as {
    readonly current: { readonly connectable: readonly unknown[] };
  };
  const roots = [world.server, world.server.gateway, generation.current, ...generation.current.connectable];
  const told = ['/metrics', '/v1/status', '/readyz', '/v1/audit/records?limit=10000', '/v1/audit/heads'];
  const whose = { provider: 'provider://files', issuer: world.url.tokenService, subject: 'billing-agent' };
  told.push(`/v1/connections?${new URLSearchParams(whose)}`);
  const admin = await Promise.all(told.map(async (path) => (await world.admin(path)).text()));
  return {
    'state directory': await dumpDirectory(join(world.directory, '.caracal')),
    redis: await dumpRedis(client),
    postgres: await dumpPostgres(database.pool),
    log: captured.lines.join('\n'),
    heads: heads.join('\n'),
    metrics: admin[0]!,
    'admin endpoint': admin.slice(1).join('\n'),
    inspected: roots.map((root) => inspect(root, INSPECTED)).join('\n'),
    reachable: reachableTexts(...roots),
    errors: await errors(),
  };
}

/** What is thrown where things go wrong, with everything in it. */
async function errors(): Promise<string> {
  const thrown: unknown[] = [];
  const attempt = (work: () => Promise<unknown>) =>
    work().then(
      (value) => thrown.push(value),
      (cause) => thrown.push(cause),
    );
  const { current } = world.server.gateway as unknown as {
    readonly current: { readonly connectable: readonly { probe(zone: string): Promise<unknown> }[] };
  };
  for (const provider of current.connectable) await attempt(() => provider.probe('default'));
  const loaded = { file: world.file, configuration: world.server.configuration, version: 'x' } as never;
  for (const [name, value] of Object.entries({
    REDIS_URL: `redis://:${SECRETS.REDIS_PASSWORD}@127.0.0.1:no-port`,
    DATABASE_URL: `postgres://caracal:${SECRETS.BASIC_PASSWORD}@127.0.0.1:no-port/x`,
    SEALING_KEY: `${SECRETS.SEALING_KEY}x`,
    ADMIN_TOKEN: 'short',
  })) {
    const environment = { ...world.environment, [name]: value };
    await attempt(() => startServer(loaded, { environment, log: () => {} }));
  }
  expect(thrown.length).toBeGreaterThanOrEqual(5);
  return thrown
    .map((cause) => `${inspect(cause, INSPECTED)}\n${(cause as Error)?.stack}\n${JSON.stringify(cause)}`)
    .join('\n');
}

function allSecrets(): Canaries {
  const url = new URL(database.url);
  const keyBytes = Buffer.from(SECRETS.SEALING_KEY!, 'base64url');
  return {
    ...SECRETS,
    AGENT_SECRET,
    ADMIN_TOKEN,
    UPSTREAM_KEY,
    ...SENT,
    'database password': url.password,
    'bytes of the sealing key': keyBytes.toString('latin1'),
    'bytes of the sealing key in hex': keyBytes.toString('hex'),
    ...Object.fromEntries(learned),
  };
}

describe('everything that is kept, logged or told of a server with all its stores', () => {
  it('is there, and holds no secret, token, code or mandate', async () => {
    await expect.poll(async () => (await world.admin('/readyz')).status, PATIENCE).toBe(200);
    const mandates = Object.fromEntries(
      await Promise.all(KINDS.map(async (kind) => [kind, await mandateFor(kind)] as const)),
    ) as Record<Kind, string>;
    const unconnected = await call('files', mandates.files);
    const { connect_uri } = (await unconnected.json()) as { connect_uri: string };
    learn('connect link', new URL(connect_uri).searchParams.get('t'));
    expect(unconnected.status).toBe(403);
    await connectAccount();

    for (const kind of ['key', 'query', 'basic', 'bearer', 'machine', 'files', 'peer'] as const) {
      await expect.poll(async () => (await call(kind, mandates[kind])).status, PATIENCE).toBe(200);
      expect(await outcome(call(kind, mandates[kind], '/v1/good', 'POST'))).toEqual([200, null]);
      // Credentials that can be are renewed, and the request is sent again.
      expect(await outcome(call(kind, mandates[kind], '/v1/refused'))).toEqual([401, null]);
    }
    for (const kind of ['failing', 'dead'] as const) {
      for (let i = 0; i < 3; i++)
        expect(await outcome(call(kind, mandates[kind]))).toEqual([503, 'credential_unavailable']);
    }
    expect(await outcome(call('key', undefined))).toEqual([401, 'missing_token']);
    expect(await outcome(call('key', `${mandates.key}AAAA`))).toEqual([401, 'invalid_token']);
    expect(await outcome(call('machine', mandates.key))).toEqual([403, 'resource_not_permitted']);
    expect(await outcome(call('key', mandates.key, '/v1/..%2fx'))).toEqual([400, 'invalid_request']);
    // Wrong secrets of an application and of the administrator.
    const wrong = await fetch(`${world.url.tokenService}/oauth/2/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`billing-agent:${SECRETS.WRONG_SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: resourceOf('key') }),
    });
    expect(wrong.status).toBe(401);
    const denied = await fetch(`${world.url.admin}/v1/status`, {
      headers: { Authorization: `Bearer ${SECRETS.WRONG_SECRET}` },
    });
    expect(denied.status).toBe(401);
    const anchors = [{ kind: 'client_id', id: 'billing-agent' }];
    await world.admin('/v1/revocations', { method: 'POST', body: JSON.stringify({ anchors }) });
    await expect.poll(() => outcome(call('key', mandates.key)), PATIENCE).toEqual([401, 'session_revoked']);
    learnOfTokenRequests();
    // What went to the upstream as a credential: exchanged mandates too.
    for (const text of sent) {
      const token = /authorization Bearer (\S+)/i.exec(text)?.[1];
      if (token !== undefined) learnMandate('attached', token);
    }

    await expect.poll(storedRequests, PATIENCE).toBeGreaterThanOrEqual(30);
    const secrets = allSecrets();
    const names = Object.keys(secrets).join(' ');
    for (const kind of [
      'access_token',
      'refresh_token',
      'id_token',
      'code ',
      'code_verifier',
      'state',
      'attached',
      'mandate',
    ])
      expect(names).toContain(kind);
    // They did go where they belong.
    expect(canariesIn(sent.join('\n'), secrets)).toEqual(
      expect.arrayContaining(['QUERY_KEY', 'BASIC_PASSWORD', 'BEARER_TOKEN', 'UPSTREAM_KEY', 'query', 'header']),
    );
    const dumped = await dump();
    for (const [where, text] of Object.entries(dumped)) {
      expect(text.length, where).toBeGreaterThan(20);
      expect({ where, found: canariesIn(text, secrets) }).toEqual({ where, found: [] });
    }
    // There was something to look through.
    expect(dumped['state directory']).toContain('"executed"');
    expect(dumped.postgres).toContain('v1.k1.');
    expect(dumped.postgres).toContain('credential_unavailable');
    expect(dumped.redis).toContain('v1.k1.');
    expect(dumped.log).toContain('oauth_connection_refreshed');
    expect(dumped.metrics).toContain('resource://machine');
    expect(dumped.reachable).toContain('provider://files');
  }, 180_000);

  it('is searched where it says: what is planted is found, in whatever shape', async () => {
    const [key, token] = [SECRETS.BEARER_TOKEN!, [...learned].find(([name]) => name.startsWith('refresh_token'))![1]];
    const client = await redis.connect({ password: SECRETS.REDIS_PASSWORD! } as never);
    await client.xadd('planted', '*', 'field', Buffer.from(`user:${key}`).toString('base64'));
    await client.hset('planted-hash', Buffer.from(token).toString('hex').toUpperCase(), '1');
    await putResource(database.pool, {
      zone: 'default',
      identifier: 'resource://planted',
      document: { note: encodeURIComponent(key) },
    });
    await database.pool.query('INSERT INTO caracal.audit_set_aside VALUES (gen_random_uuid(), 1, $1, $2, $2, $1)', [
      Buffer.from(token),
      'planted',
    ]);
    await appendFile(
      join(world.directory, '.caracal', 'journal-name.planted'),
      `${Buffer.from(token).toString('base64url')}\n`,
    );
    console.warn(
      new Error('planted', { cause: { token: new URLSearchParams({ key: SECRETS.WRONG_SECRET! }).toString() } }),
    );
    const holder = Object.defineProperty({}, Symbol('hidden'), {
      value: new Map([['x', new Set([Buffer.from(key)])]]),
    });
    Object.assign(world.server as object, { planted: holder });
    const secrets = { key, token, wrong: SECRETS.WRONG_SECRET! };
    const dumped = await dump();
    Reflect.deleteProperty(world.server, 'planted');
    const found = Object.fromEntries(Object.entries(dumped).map(([where, text]) => [where, canariesIn(text, secrets)]));
    expect(found).toMatchObject({
      'state directory': ['token'],
      redis: ['key', 'token'],
      postgres: ['key', 'token'],
      log: ['wrong'],
      reachable: ['key'],
    });
  }, 120_000);
});
