import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, AGENT_SECRET, BILLING, type ServerWorld, serverWorld, UPSTREAM_KEY } from './server.js';

let world: ServerWorld;
beforeAll(async () => {
  world = await serverWorld();
});
afterAll(() => world?.close());

/** The evidence of a request, once its last record is written. */
async function evidence(requestId: string, records: number): Promise<readonly { record: { type: string } }[]> {
  for (;;) {
    const answer = await world.admin(`/v1/audit/requests/${requestId}`);
    const trace = (await answer.json()) as { records?: { record: { type: string } }[] };
    if ((trace.records ?? []).length >= records) return trace.records!;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the whole server', () => {
  it('takes an agent from its secret to the upstream, and keeps the evidence', async () => {
    const mandate = await world.mandate();
    const answer = await world.call(mandate);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('{"invoice":42}');
    const requestId = answer.headers.get('x-caracal-request-id')!;
    const records = await evidence(requestId, 2);
    expect(records.map(({ record }) => record.type)).toEqual(['request.authorized', 'request.completed']);
    const trace = (await (await world.admin(`/v1/audit/requests/${requestId}`)).json()) as { issue: object };
    expect(trace.issue).toMatchObject({ record: { type: 'mandate.issued', applicationId: 'billing-agent' } });
  });

  it('refuses what the mandate does not cover, before the upstream', async () => {
    const before = world.seen.length;
    const mandate = await world.mandate();
    const answer = await fetch(`${world.url.gateway}/v1/invoices`, {
      method: 'POST',
      headers: { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${mandate}` },
    });
    expect([answer.status, answer.headers.get('x-caracal-error')]).toEqual([403, 'insufficient_scope']);
    expect(world.seen).toHaveLength(before);
    const records = await evidence(answer.headers.get('x-caracal-request-id')!, 1);
    expect(records).toMatchObject([{ record: { type: 'request.denied', error: 'insufficient_scope' } }]);
  });

  it('tells of a configuration whose secret is missing where it is needed, and serves the rest', async () => {
    const missing = await serverWorld((usual) => ({
      ...usual,
      providers: [
        ...usual.providers!,
        { id: 'provider://b', kind: 'api_key', headerName: 'X-K', secret: { env: 'NOT_SET' } },
      ],
      resources: [
        ...usual.resources!,
        { ...usual.resources![0]!, identifier: 'resource://b', provider: 'provider://b' },
      ],
      tokenService: {
        ...usual.tokenService!,
        applications: [
          {
            ...usual.tokenService!.applications[0]!,
            grants: [BILLING, 'resource://b'].map((resource) => ({ resource, scopes: ['billing:read'] })),
          },
        ],
      },
    }));
    try {
      const issued = await missing.server.tokenService!.issue({
        applicationId: 'billing-agent',
        resources: [BILLING, 'resource://b'],
      });
      const { mandate } = issued as { mandate: string };
      const refused = await missing.call(mandate, '/v1/invoices/1', { 'X-Caracal-Resource': 'resource://b' });
      expect([refused.status, refused.headers.get('x-caracal-error')]).toEqual([503, 'credential_unavailable']);
      expect(missing.seen).toHaveLength(0);
      expect((await missing.call(mandate)).status).toBe(200);
    } finally {
      await missing.close();
    }
  });

  it('lets no secret and no token into its log, its status and its metrics', async () => {
    const mandate = await world.mandate();
    await world.call(mandate, `/v1/invoices/42?token=${ADMIN_TOKEN}`);
    const told = [
      JSON.stringify(world.logged),
      JSON.stringify(world.server.status()),
      await (await world.admin('/metrics')).text(),
      await (await world.admin('/v1/status')).text(),
      await (await world.admin('/v1/audit/records?limit=10000')).text(),
    ].join('\n');
    for (const secret of [UPSTREAM_KEY, AGENT_SECRET, ADMIN_TOKEN, mandate]) expect(told).not.toContain(secret);
  });
});
