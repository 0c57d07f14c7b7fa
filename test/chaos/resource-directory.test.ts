import { migrate, putResource } from '@caracal/postgres';
import type { ConfigurationFile } from '@caracal/server';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BILLING, mandateFrom, type ServerWorld, serverWorld, UPSTREAM_KEY } from '../server/server.js';
import { quietPool } from '../servers/postgres.js';
import {
  pausePostgres,
  postgresMissing,
  postgresUrl,
  resumePostgres,
  startPostgres,
  stopPostgres,
} from '../servers/postgres-server.mjs';

const ORDERS = 'resource://orders-api';
const UNKNOWN = 'resource://nobody-knows';
const SCOPE = 'billing:read';
const PATIENCE = { timeout: 60_000 };
const missing = postgresMissing();

/** The usual world, with a directory, and a method of its own that the file names. */
function followed(usual: ConfigurationFile): ConfigurationFile {
  const [billing] = usual.resources as NonNullable<ConfigurationFile['resources']>;
  const [application] = usual.tokenService!.applications!;
  const report = { method: 'REPORT', path: '/v1/invoices', scopes: [SCOPE] };
  const grants = [BILLING, ORDERS, UNKNOWN].map((resource) => ({ resource, scopes: [SCOPE] }));
  return {
    ...usual,
    tokenService: { ...usual.tokenService!, applications: [{ ...application!, grants }] },
    resources: [{ ...billing!, operations: [...billing!.operations!, report] }],
    stores: { postgres: { url: { env: 'DATABASE_URL' }, audit: false, connections: false, resources: true } },
  };
}

interface Asked {
  readonly method?: string;
  readonly resource?: string;
  readonly path?: string;
  readonly mandateFor?: string | null;
  readonly headers?: Record<string, string>;
}

// A server of its own, because it is stopped.
describe.skipIf(missing !== undefined)(`PostgreSQL down when a gateway starts ${missing ?? ''}`, () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let pool: pg.Pool;
  let world: ServerWorld;

  beforeAll(async () => {
    postgres = await startPostgres();
    pool = quietPool(postgresUrl(postgres));
    await migrate(pool);
    await pausePostgres(postgres);
    world = await serverWorld(followed, {}, { DATABASE_URL: postgresUrl(postgres) });
  }, 120_000);
  afterAll(async () => {
    await world?.close();
    await pool?.end();
    await stopPostgres(postgres);
  });

  async function ask({ method = 'GET', path = '/v1/invoices/42', ...asked }: Asked) {
    const { resource, mandateFor = resource ?? BILLING, headers = {} } = asked;
    const mandate = mandateFor === null ? undefined : await mandateFrom(world.url.tokenService, SCOPE, mandateFor);
    const before = world.seen.length;
    const answer = await fetch(`${world.url.gateway}${path}`, {
      method,
      headers: {
        ...(resource === undefined ? {} : { 'X-Caracal-Resource': resource }),
        ...(mandate === undefined ? {} : { Authorization: `Bearer ${mandate}` }),
        ...headers,
      },
    });
    const body = await answer.text();
    for (const secret of [UPSTREAM_KEY, mandate ?? UPSTREAM_KEY]) expect(body).not.toContain(secret);
    const error = answer.headers.get('x-caracal-error');
    // A refusal has gone nowhere, and its evidence can be looked up.
    expect(world.seen.length - before, `${method} ${resource} ${error}`).toBe(error === null ? 1 : 0);
    if (error !== null) {
      const { records } = await evidence(answer.headers.get('x-caracal-request-id')!);
      expect(records).toMatchObject([{ record: { type: 'request.denied', error, status: answer.status } }]);
    }
    return { status: answer.status, error, headers: answer.headers };
  }

  async function evidence(requestId: string) {
    const path = `/v1/audit/requests/${requestId}`;
    await expect.poll(async () => (await world.admin(path)).status, PATIENCE).toBe(200);
    return (await (await world.admin(path)).json()) as { records: unknown[] };
  }

  /** What a row could make another answer of. */
  const OPEN: Record<string, Asked> = {
    'a resource that the file does not have': { resource: ORDERS },
    'one that nothing has': { resource: UNKNOWN },
    'no resource, which a mount could name': { mandateFor: ORDERS },
    'a method that the file does not name': { method: 'PROPFIND', resource: ORDERS },
    'the same, of a resource of the file': { method: 'PROPFIND', resource: BILLING },
    'the same, by whoever shows no mandate': { method: 'PROPFIND', resource: ORDERS, mandateFor: null },
  };
  /** What it could not. */
  const CERTAIN: Record<string, readonly [Asked, number]> = {
    'a resource of the file': [{ resource: BILLING }, 200],
    'a method that the file names': [{ method: 'REPORT', resource: BILLING, path: '/v1/invoices' }, 200],
    'an operation that is none of the file’s resource': [{ method: 'DELETE', resource: BILLING }, 403],
    'no mandate': [{ resource: ORDERS, mandateFor: null }, 401],
    'a head that is not in order, whatever its method': [
      { method: 'PROPFIND', resource: ORDERS, path: '/v1/%00' },
      400,
    ],
  };

  it.each(Object.keys(OPEN))('is 503, and no fault of the caller’s, for %s', async (name) => {
    const { status, error, headers } = await ask(OPEN[name]!);
    expect({ status, error }).toEqual({ status: 503, error: 'directory_unavailable' });
    expect(headers.get('retry-after')).toMatch(/^[1-9]$/);
    expect(headers.get('allow')).toBeNull();
  });

  it.each(Object.keys(CERTAIN))('is what it would be with it, for %s', async (name) => {
    const [asked, status] = CERTAIN[name]!;
    expect((await ask(asked)).status).toBe(status);
  });

  it('is as the rows say once it was read, and stays so when PostgreSQL goes again', async () => {
    await resumePostgres(postgres);
    const [{ upstreamUrl, provider } = {}] = world.server.configuration.resources;
    const operations = ['GET', 'PROPFIND'].map((method) => ({ method, path: '/v1/invoices/{id}', scopes: [SCOPE] }));
    const mount = { pathPrefix: '/orders' };
    const document = { upstreamUrl, provider, allowPrivateNetwork: true, scopes: [SCOPE], operations, mount };
    await putResource(pool, { zone: 'default', identifier: ORDERS, document });
    await expect
      .poll(async () => world.server.status().resourceDirectory, PATIENCE)
      .toMatchObject({ resources: 1, fault: null });

    async function holds() {
      const path = '/orders/v1/invoices/42';
      const answers: Record<string, readonly [Asked, number]> = {
        row: [{ resource: ORDERS, path }, 200],
        mounted: [{ path, mandateFor: ORDERS }, 200],
        'not mounted': [{ mandateFor: ORDERS }, 400],
        unknown: [{ resource: UNKNOWN }, 403],
        'its method': [{ method: 'PROPFIND', resource: ORDERS, path }, 200],
        'not of the other': [{ method: 'PROPFIND', resource: BILLING }, 403],
        'no mandate': [{ method: 'PROPFIND', resource: ORDERS, mandateFor: null }, 401],
        'no method': [{ method: 'MKCOL', resource: ORDERS }, 405],
      };
      for (const [name, [asked, status]] of Object.entries(answers)) {
        const { headers, ...answer } = await ask(asked);
        expect(answer.status, `${name}: ${answer.error}`).toBe(status);
        if (status === 405) expect(headers.get('allow')).toMatch(/, REPORT, PROPFIND$/);
      }
    }
    await holds();
    await pausePostgres(postgres);
    await expect.poll(() => world.server.status().resourceDirectory?.fault, PATIENCE).not.toBeNull();
    await holds();
  }, 120_000);
});
