import {
  deny,
  type GatewayOptions,
  memoryResourceDirectory,
  memoryRevocationStore,
  noCredential,
  type Provider,
  type RequestHead,
  type ResourceDefinition,
  type ResourceDirectory,
  type TransportFailureKind,
} from '@caracal/core';
import { describe, expect, it, vi } from 'vitest';
import { type FakeWorld, fakeWorld, RESOURCE, UPSTREAM_KEY } from './fake-world.js';

interface Row {
  readonly row: string;
  readonly name: string;
  readonly status: number;
  readonly error: string;
  /** The record's finer reason, where the row has one that people search for. */
  readonly reason?: string;
  readonly resource?: Partial<ResourceDefinition>;
  readonly options?: () => Partial<GatewayOptions>;
  readonly claims?: Record<string, unknown>;
  readonly mandate?: (world: FakeWorld) => Promise<string | undefined>;
  readonly head?: Partial<RequestHead> & { extra?: string[] };
  /** Something that happens before the request that must be refused. */
  readonly before?: (world: FakeWorld, mandate: string) => Promise<unknown>;
  /** Rows from 20 on are met after the request was sent. */
  readonly failure?: TransportFailureKind;
}

const failing = {
  throws: () => {
    throw new Error('store at 10.1.2.3 is down');
  },
  rejects: () => Promise.reject(new Error('store at 10.1.2.3 is down')),
};

/** Knows no resource, and cannot say which there are. */
function blindDirectory(): ResourceDirectory {
  const { throws } = failing;
  return { byIdentifier: throws, byMount: throws, namesMethod: throws, extraMethods: () => new Set(['REPORT']) };
}

function providerThat(attach: Provider['attach']): Provider {
  return {
    id: 'provider://x',
    kind: 'api_key',
    origins: ['https://billing.example'],
    headerNames: ['x-api-key'],
    renewable: false,
    attach,
    renew: async (_request, refused) => refused,
  };
}

const ROWS: readonly Row[] = [
  {
    row: '1',
    name: 'a target with a dot segment',
    status: 400,
    error: 'invalid_request',
    head: { target: '/v1/../admin' },
  },
  { row: '1', name: 'two hosts', status: 400, error: 'invalid_request', head: { extra: ['Host', 'other.example'] } },
  {
    row: '1',
    name: 'a length and chunks',
    status: 400,
    error: 'invalid_request',
    head: { extra: ['Content-Length', '3', 'Transfer-Encoding', 'chunked'] },
  },
  { row: '1', name: 'a method nobody declared', status: 405, error: 'invalid_request', head: { method: 'TRACE' } },
  {
    row: '1',
    name: 'a target that is too long',
    status: 414,
    error: 'invalid_request',
    head: { target: `/${'a'.repeat(9000)}` },
  },
  {
    row: '1',
    name: 'an unknown expectation',
    status: 417,
    error: 'invalid_request',
    head: { extra: ['Expect', 'miracles'] },
  },
  {
    row: '1',
    name: 'too many headers',
    status: 431,
    error: 'invalid_request',
    head: { extra: Array.from({ length: 240 }, (_, index) => (index % 2 === 0 ? 'X-Many' : 'v')) },
  },
  {
    row: '1',
    name: 'an HTTP version nobody speaks',
    status: 505,
    error: 'invalid_request',
    head: { httpVersion: '3.7' },
  },
  {
    row: '1',
    name: 'a method that may be named where it cannot be read',
    status: 503,
    error: 'directory_unavailable',
    reason: 'failed',
    options: () => ({ resources: undefined as never, directory: blindDirectory() }),
    head: { method: 'PROPFIND' },
  },
  {
    row: '1',
    name: 'a method that nobody can name, whatever is read',
    status: 405,
    error: 'invalid_request',
    reason: 'method_not_allowed',
    options: () => ({ resources: undefined as never, directory: blindDirectory() }),
    head: { method: 'TRACE' },
  },
  {
    row: '2',
    name: 'a head that is wrong, though its method may be named',
    status: 400,
    error: 'invalid_request',
    options: () => ({ resources: undefined as never, directory: blindDirectory() }),
    head: { method: 'PROPFIND', extra: ['X-Caracal-Resource', RESOURCE] },
  },
  {
    row: '2',
    name: 'a second resource',
    status: 400,
    error: 'invalid_request',
    head: { extra: ['X-Caracal-Resource', RESOURCE] },
  },
  {
    row: '2',
    name: 'a second authorization',
    status: 400,
    error: 'invalid_request',
    head: { extra: ['Authorization', 'Bearer x'] },
  },
  {
    row: '2',
    name: 'a client id header',
    status: 400,
    error: 'invalid_request',
    head: { extra: ['X-Caracal-Client-Id', 'me'] },
  },
  { row: '3', name: 'no mandate', status: 401, error: 'missing_token', mandate: async () => undefined },
  {
    row: '4',
    name: 'no mandate at all behind Bearer',
    status: 401,
    error: 'invalid_token',
    mandate: async () => 'not.a.mandate',
  },
  {
    row: '4',
    name: 'an expired mandate',
    status: 401,
    error: 'invalid_token',
    claims: { exp: Math.floor(Date.now() / 1000) - 1, iat: Math.floor(Date.now() / 1000) - 100 },
  },
  {
    row: '4b',
    name: 'an issuer whose keys cannot be had',
    status: 503,
    error: 'issuer_unavailable',
    options: () => ({
      issuers: [{ issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks' }],
      outbound: { fetch: failing.rejects },
    }),
    mandate: async ({ issuer }) => issuer.mint({ iss: 'https://issuer.test', aud: 'https://issuer.test' }),
  },
  {
    row: '4c',
    name: 'a new mandate of a peer that has sent two hundred bad ones in this second',
    status: 503,
    error: 'overloaded',
    reason: 'peer_failures',
    before: async (world) => {
      for (let index = 0; index < 200; index++) await world.gateway.admit(world.head(`not.a.mandate${index}`));
    },
  },
  {
    row: '5',
    name: 'revocation state nobody can prove complete',
    status: 503,
    error: 'revocation_unavailable',
    reason: 'stale',
    options: () => ({
      revocations: Object.assign(memoryRevocationStore(), { freshAsOf: () => performance.now() - 10_001 }),
    }),
  },
  {
    row: '6',
    name: 'a revoked application',
    status: 401,
    error: 'session_revoked',
    before: (world, mandate) => {
      const { iss, client_id } = JSON.parse(atob(mandate.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')));
      return world.revocations.revoke({ zoneId: 'default', issuer: iss, kind: 'client_id', id: client_id });
    },
  },
  {
    row: '7',
    name: 'no resource named',
    status: 400,
    error: 'invalid_request',
    reason: 'resource_not_named',
    head: { headers: [] },
  },
  {
    row: '7',
    name: 'a header and a mount that differ',
    status: 400,
    error: 'invalid_request',
    reason: 'resource_and_mount_differ',
    resource: { mount: { pathPrefix: '/v1' }, identifier: 'resource://mounted' },
    claims: { target: ['resource://mounted', RESOURCE] },
  },
  {
    row: '7',
    name: 'a directory that fails',
    status: 503,
    error: 'directory_unavailable',
    options: () => ({
      resources: undefined as never,
      directory: {
        byIdentifier: failing.rejects,
        byMount: () => undefined,
        namesMethod: () => false,
        extraMethods: () => new Set(),
      },
    }),
  },
  {
    row: '7',
    name: 'a resource the mandate does not target',
    status: 403,
    error: 'resource_not_permitted',
    reason: 'not_a_target',
    claims: { target: ['resource://other'] },
  },
  {
    row: '7',
    name: 'a resource that does not exist',
    status: 403,
    error: 'resource_not_permitted',
    reason: 'unknown_resource',
    resource: { identifier: 'resource://other' },
  },
  {
    row: '8',
    name: 'a declared length over the limit',
    status: 413,
    error: 'payload_too_large',
    resource: { maxBodyBytes: 10 },
    head: { method: 'POST', target: '/v1/invoices', extra: ['Content-Length', '11'] },
  },
  {
    row: '8',
    name: 'an upgrade the resource does not take',
    status: 403,
    error: 'upgrade_not_permitted',
    head: { upgrade: true, extra: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] },
  },
  {
    row: '9',
    name: 'an operation nobody declared',
    status: 403,
    error: 'operation_not_permitted',
    head: { method: 'DELETE' },
  },
  {
    row: '10',
    name: 'a scope that is missing',
    status: 403,
    error: 'insufficient_scope',
    claims: { scope: 'billing:submit' },
  },
  {
    row: '11',
    name: 'no agent session',
    status: 403,
    error: 'session_required',
    resource: { require: { session: true } },
  },
  {
    row: '11',
    name: 'no delegation',
    status: 403,
    error: 'delegation_required',
    resource: { require: { delegation: true } },
  },
  {
    row: '11',
    name: 'too many hops',
    status: 403,
    error: 'hop_count_exceeded',
    resource: { require: { maxHops: 1 } },
    claims: delegated('a', 'b'),
  },
  {
    row: '11',
    name: 'another chain',
    status: 403,
    error: 'chain_mismatch',
    resource: { require: { chainContains: ['planner'] } },
    claims: delegated('a'),
  },
  {
    row: '12',
    name: 'a request over the rate limit',
    status: 429,
    error: 'rate_limited',
    resource: { rateLimit: { requests: 1, windowSeconds: 60 } },
    before: (world, mandate) => world.send(world.head(mandate)),
  },
  {
    row: '13',
    name: 'a rate limiter that fails',
    status: 503,
    error: 'rate_limit_unavailable',
    resource: { rateLimit: { requests: 1, windowSeconds: 60 } },
    options: () => ({ rateLimiter: { consume: failing.throws } }),
  },
  {
    row: '14',
    name: 'an authorizer that says no',
    status: 403,
    error: 'access_denied',
    reason: 'outside working hours',
    options: () => ({
      authorizers: [{ authorize: async () => ({ allowed: false, reason: 'outside working hours' }) }],
    }),
  },
  {
    row: '14',
    name: 'an authorizer that fails',
    status: 503,
    error: 'authorizer_unavailable',
    options: () => ({ authorizers: [{ authorize: failing.rejects }] }),
  },
  {
    row: '14',
    name: 'an authorizer that is late',
    status: 503,
    error: 'authorizer_unavailable',
    reason: 'timeout',
    options: () => ({ authorizers: [{ authorize: () => new Promise<never>(() => {}) }], authorizerTimeoutMs: 5 }),
  },
  {
    row: '14',
    name: 'an authorizer that answers neither yes nor no',
    status: 503,
    error: 'authorizer_unavailable',
    options: () => ({ authorizers: [{ authorize: () => ({ allowed: 'yes' }) as never }] }),
  },
  {
    row: '15',
    name: 'a credential that cannot be had',
    status: 503,
    error: 'credential_unavailable',
    resource: { provider: providerThat(failing.rejects) },
  },
  {
    row: '15',
    name: 'a subject that has not connected an account',
    status: 403,
    error: 'connection_required',
    resource: {
      provider: providerThat(() =>
        deny('connection_required', 'no_connection', { connectUri: 'https://sts.example/connect' }),
      ),
    },
  },
  {
    row: '16',
    name: 'an audit without room',
    status: 503,
    error: 'audit_unavailable',
    reason: 'no_room',
    options: () => ({ audit: { room: 8, sink: { append: () => new Promise<void>(() => {}) } }, portTimeoutMs: 60_000 }),
    before: async (world, mandate) => {
      for (let index = 0; index < 4; index++) void world.send(world.head(mandate));
    },
  },
  {
    row: '17',
    name: 'a single-use mandate a second time',
    status: 401,
    error: 'token_replayed',
    reason: 'replayed',
    resource: { mandateReuse: 'single_use' },
    before: (world, mandate) => world.send(world.head(mandate)),
  },
  {
    row: '17',
    name: 'a replay store that fails',
    status: 503,
    error: 'replay_unavailable',
    resource: { mandateReuse: 'single_use' },
    options: () => ({ replays: { use: failing.throws } }),
  },
  {
    row: '18',
    name: 'a sink that takes no record',
    status: 503,
    error: 'audit_unavailable',
    options: () => ({ audit: { sink: { append: failing.rejects } } }),
  },
  {
    row: '19',
    name: 'a session revoked while an authorizer was thinking',
    status: 401,
    error: 'session_revoked',
    options: () => {
      const revocations = memoryRevocationStore();
      return {
        revocations,
        authorizers: [
          {
            authorize: async ({ principal }) => {
              await revocations.revoke({
                zoneId: 'default',
                issuer: principal.issuer,
                kind: 'sub',
                id: principal.subject,
              });
              return { allowed: true };
            },
          },
        ],
      };
    },
  },
  { row: '20', name: 'an address that is not allowed', status: 502, error: 'upstream_not_allowed', failure: 'address' },
  {
    row: '21',
    name: 'an upstream that cannot be reached',
    status: 502,
    error: 'upstream_unreachable',
    failure: 'unreachable',
  },
  { row: '21', name: 'an upstream that is late', status: 504, error: 'upstream_timeout', failure: 'timeout' },
  { row: '21', name: 'an upstream that talks nonsense', status: 502, error: 'upstream_invalid', failure: 'invalid' },
];

function delegated(...applications: string[]): Record<string, unknown> {
  const path = applications.map((_, index) => `edge-${index}`);
  return {
    delegation_edge_id: path.at(-1),
    delegation_path: path,
    delegation_chain: applications.map((application_id, index) => ({
      application_id,
      delegation_edge_id: path[index],
    })),
    hop_count: path.length,
  };
}

describe('the order of checks, with a fake transport', () => {
  it('lets a request through that nothing stands against', async () => {
    const world = await fakeWorld();
    const answer = await world.send(world.head(await world.mint()));
    expect(answer).toMatchObject({ status: 200, body: 'xxxx', cut: false });
    const [plan] = world.transport.plans;
    expect(plan).toMatchObject({ method: 'GET', origin: 'https://billing.example', target: '/base/v1/invoices/42' });
    expect(plan!.headers).toContain(UPSTREAM_KEY);
  });

  it.each(ROWS)('row $row refuses $name', async (row) => {
    const world = await fakeWorld(row.resource, row.options?.());
    const mandate = row.mandate === undefined ? await world.mint(row.claims) : await row.mandate(world);
    await row.before?.(world, mandate as string);
    if (row.failure !== undefined) {
      const kind = row.failure;
      world.transport.upstream = (handler) => handler.onFailure({ kind, cause: new Error('10.9.8.7 refused') });
    }
    const sentBefore = world.transport.plans.length;
    const head = world.head(mandate, row.head);
    if (row.head?.headers !== undefined) {
      Object.assign(head, { headers: ['Host', 'gateway.example', 'Authorization', `Bearer ${mandate}`] });
    }

    const answer = await world.send(head);

    expect({ status: answer.status, error: answer.error }).toEqual({ status: row.status, error: row.error });
    expect(world.transport.plans.length - sentBefore).toBe(row.failure === undefined ? 0 : 1);
    const said = JSON.stringify(answer);
    for (const secret of [mandate, UPSTREAM_KEY, '10.1.2.3', '10.9.8.7']) {
      if (secret !== undefined) expect(said).not.toContain(secret);
    }
    if (row.row === '16' || row.row === '18') return; // there is nowhere to write a record
    const requestId = (JSON.parse(answer.body) as { requestId: string }).requestId;
    const records = world.audit.records().filter((record) => record.requestId === requestId);
    expect(records.at(-1)).toMatchObject({ error: row.error, status: row.status });
    if (row.reason !== undefined) expect(records.at(-1)).toMatchObject({ reason: row.reason });
    if (['1', '2', '3', '4', '4b', '4c'].includes(row.row)) expect(records[0]!.applicationId).toBeUndefined();
    for (const secret of [mandate, UPSTREAM_KEY]) {
      if (secret !== undefined) expect(JSON.stringify(records)).not.toContain(secret);
    }
  });

  it('row 22 cuts an upload that grows over the limit', async () => {
    const world = await fakeWorld({ maxBodyBytes: 10 });
    world.transport.upstream = (handler) => {
      handler.onStart(false);
      handler.onBodyBytes(11);
    };
    const head = world.head(await world.mint(), {
      method: 'POST',
      target: '/v1/invoices',
      extra: ['Transfer-Encoding', 'chunked'],
    });
    expect(await world.send(head, 'body')).toMatchObject({ status: 413, error: 'payload_too_large' });
  });

  it('refuses with shutting_down once it closes', async () => {
    const world = await fakeWorld();
    const mandate = await world.mint();
    await world.gateway.close({ drainTimeoutMs: 1 });
    expect(await world.send(world.head(mandate))).toMatchObject({ status: 503, error: 'shutting_down' });
  });

  it('shows a fault of ours as 500, never as the caller’s', async () => {
    const extraMethods = failing.throws;
    const directory = {
      byIdentifier: () => undefined,
      byMount: () => undefined,
      namesMethod: () => false,
      extraMethods,
    };
    const world = await fakeWorld({}, { resources: undefined as never, directory });
    expect(await world.send(world.head(await world.mint()))).toMatchObject({ status: 500, error: 'internal_error' });
  });

  it('serves a resource that a directory knows, though it cannot say what is mounted there', async () => {
    const known = memoryResourceDirectory([
      { identifier: RESOURCE, upstreamUrl: 'https://billing.example/base', provider: noCredential() },
      {
        identifier: 'resource://mounted',
        upstreamUrl: 'https://mounted.example',
        provider: noCredential(),
        mount: { pathPrefix: '/v1' },
      },
    ]);
    for (const byMount of [failing.throws, failing.rejects]) {
      const directory = { ...known, byMount };
      const world = await fakeWorld({}, { resources: undefined as never, directory });
      const mandate = await world.mint({ target: [RESOURCE, 'resource://mounted'] });
      expect((await world.send(world.head(mandate))).status).toBe(200);
      // By its own mount, as if the directory had said so.
      const head = world.head(mandate);
      const mounted = head.headers.map((text) => (text === RESOURCE ? 'resource://mounted' : text));
      expect((await world.send({ ...head, headers: mounted })).status).toBe(200);
      expect(world.transport.plans.map(({ origin, target }) => origin + target)).toEqual([
        'https://billing.example/base/v1/invoices/42',
        'https://mounted.example/invoices/42',
      ]);
      // Whoever names none is not told that it is their fault.
      const unnamed = head.headers.filter((text) => text !== RESOURCE && text !== 'X-Caracal-Resource');
      expect(await world.send({ ...head, headers: unnamed })).toMatchObject({
        status: 503,
        error: 'directory_unavailable',
      });
      expect(world.transport.plans).toHaveLength(2);
      expect(world.audit.records().at(-1)).toMatchObject({ type: 'request.denied', error: 'directory_unavailable' });
    }
  });

  it('spends no single-use mandate on a request that is refused for another reason', async () => {
    let allowed = false;
    const world = await fakeWorld(
      { mandateReuse: 'single_use' },
      { authorizers: [{ authorize: () => ({ allowed }) }] },
    );
    const mandate = await world.mint();
    expect((await world.send(world.head(mandate))).error).toBe('access_denied');
    allowed = true;
    expect((await world.send(world.head(mandate))).status).toBe(200);
    expect((await world.send(world.head(mandate))).error).toBe('token_replayed');
  });

  it('decides synchronously for a mandate it has seen, with stores in memory', async () => {
    const world = await fakeWorld();
    const mandate = await world.mint();
    await world.send(world.head(mandate));
    expect(world.gateway.admit(world.head(mandate))).not.toBeInstanceOf(Promise);
  });

  it('ends every open exchange of a session that is revoked, and no other', async () => {
    const world = await fakeWorld();
    world.transport.upstream = (handler) => {
      handler.onHead(200, []);
      handler.onChunk(new Uint8Array(1));
    };
    const [first, second] = [await world.mint({ sid: 'first' }), await world.mint({ sid: 'second' })];
    const cut = world.send(world.head(first));
    let ended = false;
    void world.send(world.head(second)).then(() => {
      ended = true;
    });
    await vi.waitFor(() => expect(world.gateway.liveExchanges).toBe(2));
    await world.revocations.revoke({ zoneId: 'default', issuer: world.issuer.issuer, kind: 'sid', id: 'first' });
    expect(await cut).toMatchObject({ cut: true, status: 200 });
    expect(world.gateway.liveExchanges).toBe(1);
    expect(ended).toBe(false);
    expect(world.audit.records().at(-1)).toMatchObject({ outcome: 'revoked_mid_stream' });
  });
});
