import { readFileSync } from 'node:fs';
import { startTestGateway, TEST_CREDENTIAL, type TestGateway, type TestGatewayOptions } from '@caracal/testkit/gateway';
import { afterEach, describe, expect, it } from 'vitest';

const open: TestGateway[] = [];

async function start(options?: TestGatewayOptions): Promise<TestGateway> {
  const gateway = await startTestGateway(options);
  open.push(gateway);
  return gateway;
}

afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close();
});

const codeOf = (answer: Response) => answer.headers.get('x-caracal-error');

describe('a test gateway', () => {
  it('lets a good call through with the credential of the upstream, and keeps its evidence', async () => {
    const gateway = await start();
    const mandate = await gateway.mint();
    const answer = await gateway.call('/v1/things?q=1', { method: 'POST', mandate, body: 'hello' });
    expect(await answer.json()).toEqual({ ok: true });
    expect(gateway.calls).toMatchObject([
      { method: 'POST', url: '/v1/things?q=1', body: 'hello', headers: { authorization: `Bearer ${TEST_CREDENTIAL}` } },
    ]);
    expect(JSON.stringify(gateway.calls)).not.toContain(mandate);
    const records = await gateway.records(answer);
    expect(records.map(({ type }) => type)).toEqual(['request.authorized', 'request.completed']);
  });

  it('refuses every wrong mandate it can mint, and none comes to the upstream', async () => {
    const gateway = await start();
    const wrong = await gateway.wrongMandates();
    expect(wrong.length).toBeGreaterThan(100);
    const accepted: string[] = [];
    for (const [what, mandate] of wrong) {
      const answer = await gateway.call('/', { mandate });
      if (answer.status !== 401) accepted.push(`${what}: ${answer.status} ${codeOf(answer)}`);
    }
    expect(accepted).toEqual([]);
    expect(gateway.calls).toEqual([]);
  });

  it('mints what a test spoils, and revokes', async () => {
    const gateway = await start();
    expect(codeOf(await gateway.call('/', { mandate: null }))).toBe('missing_token');
    expect(codeOf(await gateway.call('/', { mandate: await gateway.mint({ exp: 1 }) }))).toBe('invalid_token');
    expect(codeOf(await gateway.call('/', { mandate: await gateway.mint({ scope: '' }) }))).toBe('insufficient_scope');
    const mandate = await gateway.mint({ sid: 'session-1' });
    expect((await gateway.call('/', { mandate })).status).toBe(200);
    await gateway.revoke({ kind: 'sid', id: 'session-1' });
    expect(codeOf(await gateway.call('/', { mandate }))).toBe('session_revoked');
    expect(gateway.calls).toHaveLength(1);
  });

  it.each([
    ['issuer_down', 'issuer_unavailable'],
    ['store_stale', 'revocation_unavailable'],
    ['upstream_dead', 'upstream_unreachable'],
  ] as const)('breaks %s, answers %s, and mends', async (fault, code) => {
    const gateway = await start();
    const mandate = await gateway.mint();
    expect((await gateway.call('/', { mandate })).status).toBe(200);
    await gateway.fault(fault);
    const refused = await gateway.call('/', { mandate });
    expect(codeOf(refused)).toBe(code);
    expect((await gateway.records(refused)).at(-1)).toMatchObject({ error: code });
    await gateway.mend();
    expect((await gateway.call('/', { mandate })).status).toBe(200);
  });

  it('lets the upstream keep calls waiting, and mends', async () => {
    const patient = 'resource://patient';
    const gateway = await start({
      resources: [{ identifier: 'resource://quick', headersTimeoutMs: 40 }, { identifier: patient }],
    });
    await gateway.fault('upstream_slow');
    expect(codeOf(await gateway.call('/'))).toBe('upstream_timeout');
    const waiting = gateway.call('/', { resource: patient });
    await gateway.mend();
    expect((await waiting).status).toBe(200);
    expect((await gateway.call('/', { resource: patient })).status).toBe(200);
  });

  it('breaks the token endpoint, and mends', async () => {
    const gateway = await start();
    const { tokenUrl, applicationId, applicationSecret, resources } = gateway.profile;
    const ask = () =>
      fetch(tokenUrl, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(`${applicationId}:${applicationSecret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: resources[0]!.identifier }),
      });
    await gateway.fault('token_endpoint_down');
    expect((await ask()).status).toBe(503);
    await gateway.mend();
    expect((await ask()).status).toBe(200);
  });

  it('runs the routes of a real gateway, mounts and base paths included, and calls nothing real', async () => {
    const gateway = await start({
      resources: [
        {
          identifier: 'resource://billing',
          upstreamUrl: 'https://billing.example/base',
          provider: { id: 'provider://billing' },
          mount: { pathPrefix: '/billing' },
          scopes: ['billing:read'],
          operations: [{ method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'] }],
        },
      ],
      gateway: { authorizers: [{ authorize: ({ operation }) => ({ allowed: !operation.path.endsWith('/13') }) }] },
    });
    const answer = await gateway.call('/billing/v1/invoices/42');
    expect(answer.status).toBe(200);
    expect(gateway.calls[0]?.url).toBe('/base/v1/invoices/42');
    expect(codeOf(await gateway.call('/billing/v1/payouts'))).toBe('operation_not_permitted');
    expect(codeOf(await gateway.call('/billing/v1/invoices/13'))).toBe('access_denied');
    expect(gateway.calls).toHaveLength(1);
  });

  it('has its documented example short enough', () => {
    const example = readFileSync(new URL('example.test.ts', import.meta.url), 'utf8');
    const [, test] = /(it\([\s\S]*\}\);)\n$/.exec(example)!;
    expect(test!.split('\n').length).toBeLessThan(15);
    expect(readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')).toContain(
      `\`\`\`ts\n${example}\`\`\``,
    );
  });
});
