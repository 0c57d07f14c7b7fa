import type { AnchorKind } from '@caracal/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, BILLING, type ServerWorld, serverWorld } from './server.js';

let world: ServerWorld;
beforeAll(async () => {
  world = await serverWorld();
});
afterAll(() => world?.close());

const claimsOf = (mandate: string) => JSON.parse(Buffer.from(mandate.split('.')[1]!, 'base64url').toString());
const post = (path: string, body: unknown) =>
  world.admin(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const lines = (text: string) => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));

describe('the admin endpoint', () => {
  it('shows health to everybody and nothing else to nobody', async () => {
    const open = (path: string, init?: RequestInit) => fetch(`${world.url.admin}${path}`, init);
    expect(await (await open('/livez')).json()).toEqual({ status: 'ok' });
    expect(await (await open('/readyz')).json()).toEqual({ status: 'ready', reasons: [] });
    const closed = [
      '/metrics',
      '/v1/status',
      '/v1/audit/records',
      '/v1/audit/stream',
      '/v1/audit/public-key',
      '/nothing',
    ];
    for (const authorization of [
      '',
      'Bearer ',
      `Basic ${ADMIN_TOKEN}`,
      `Bearer ${ADMIN_TOKEN}x`,
      `Bearer ${ADMIN_TOKEN.slice(1)}`,
    ]) {
      for (const path of closed) {
        const answer = await open(path, { headers: { Authorization: authorization } });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="caracal admin"']);
        expect(await answer.text()).not.toContain('caracal_');
      }
      const revoked = await open('/v1/revocations', {
        method: 'POST',
        headers: { Authorization: authorization },
        body: '{}',
      });
      expect(revoked.status).toBe(401);
    }
    expect((await open('/v1/status', { headers: { Authorization: `bearer  ${ADMIN_TOKEN}` } })).status).toBe(200);
    expect((await world.admin('/nothing')).status).toBe(404);
  });

  it.each<[AnchorKind, (claims: Record<string, string>) => string]>([
    ['sid', ({ sid }) => sid!],
    ['root_sid', ({ root_sid }) => root_sid!],
    ['agent_session_id', ({ agent_session_id }) => agent_session_id!],
    ['jti', ({ jti }) => jti!],
    ['client_id', ({ client_id }) => client_id!],
    ['sub', ({ sub }) => sub!],
  ])('revokes by %s, and lifts it again', async (kind, idOf) => {
    const issued = await world.server.tokenService!.issue({
      applicationId: 'billing-agent',
      resources: [BILLING],
      agentSessionId: `session-${kind}`,
    });
    const { mandate } = issued as { mandate: string };
    const anchors = [{ kind, id: idOf(claimsOf(mandate)) }];
    const before = world.seen.length;
    const answer = await post('/v1/revocations', { anchors });
    const issuer = world.url.tokenService;
    expect(await answer.json()).toEqual({ revoked: [{ zone: 'default', issuer, ...anchors[0] }] });
    const refused = await world.call(mandate);
    expect([refused.status, refused.headers.get('x-caracal-error')]).toEqual([401, 'session_revoked']);
    expect(world.seen).toHaveLength(before);
    expect((await post('/v1/revocations/lift', { anchors })).status).toBe(200);
    expect((await world.call(mandate)).status).toBe(200);
  });

  it('issues nothing below what is revoked', async () => {
    const anchors = [{ kind: 'client_id', id: 'billing-agent' }];
    await post('/v1/revocations', { anchors });
    await expect(world.mandate()).rejects.toThrow('401');
    await post('/v1/revocations/lift', { anchors });
    expect(await world.mandate()).toBeTypeOf('string');
  });

  it.each([
    'no json',
    {},
    { anchors: [] },
    { anchors: [{ kind: 'password', id: 'x' }] },
    { anchors: [{ kind: 'sid' }] },
    { anchors: [{ kind: 'sid', id: 'x', zonne: 'y' }] },
  ])('refuses to revoke %j', async (body) => {
    const answer = await post('/v1/revocations', body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('refuses bodies without measure', async () => {
    expect((await post('/v1/revocations', { anchors: Array(101).fill({ kind: 'sid', id: 'x' }) })).status).toBe(400);
    expect((await post('/v1/revocations', 'x'.repeat(70_000))).status).toBe(413);
  });

  it('answers queries by filter and page by page', async () => {
    const mandate = await world.mandate();
    for (let call = 0; call < 3; call++) await world.call(mandate);
    const filters = `application=billing-agent&resource=${encodeURIComponent(BILLING)}&decision=allowed`;
    const page = async (after = '') => {
      const answer = await world.admin(`/v1/audit/records?${filters}&limit=2${after && `&after=${after}`}`);
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
      return lines(await answer.text());
    };
    const first = await page();
    expect(first).toHaveLength(2);
    const second = await page(first[1].cursor);
    expect(second.length).toBeGreaterThan(0);
    expect(second.map(({ cursor }) => cursor)).not.toContain(first[1].cursor);
    // An end is slim: it counts by how its request began.
    for (const { record } of [...first, ...second]) {
      expect(record.type === 'request.completed' ? BILLING : record.resource).toBe(BILLING);
    }
    for (const query of ['limit=0', 'limit=x', 'since=yesterday', 'colour=red', 'zone=a&zone=b', 'after=1']) {
      expect((await world.admin(`/v1/audit/records?${query}`)).status).toBe(400);
    }
  });

  it('streams the evidence as it happens, and the process does not wait for whoever listens', async () => {
    const gone = new AbortController();
    const stream = await world.admin('/v1/audit/stream?decision=allowed', { signal: gone.signal });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    const answer = await world.call(await world.mandate());
    let text = '';
    while (!text.includes(answer.headers.get('x-caracal-request-id')!)) text += (await reader.read()).value;
    gone.abort();
  });

  it('tells of itself, its key and its heads', async () => {
    expect(await (await world.admin('/v1/status')).json()).toMatchObject({
      version: '0.1.0',
      zone: 'default',
      draining: false,
      lastReload: null,
      configuration: { file: world.file },
      listeners: [{ name: 'gateway' }, { name: 'tokenService' }, { name: 'admin' }],
    });
    expect(await (await world.admin('/v1/audit/public-key')).text()).toContain('BEGIN PUBLIC KEY');
    expect((await world.admin('/v1/audit/heads')).status).toBe(200);
    expect((await world.admin('/v1/audit/requests/none')).status).toBe(404);
  });

  it('explains a decision without a call', async () => {
    const before = world.seen.length;
    const headers = ['Host', 'h', 'Authorization', `Bearer ${await world.mandate()}`, 'X-Caracal-Resource', BILLING];
    const explained = await post('/v1/explain', { method: 'POST', target: '/v1/invoices', headers });
    expect(await explained.json()).toMatchObject({ decision: 'denied', error: 'insufficient_scope' });
    expect((await post('/v1/explain', { method: 'GET' })).status).toBe(400);
    expect(world.seen).toHaveLength(before);
  });

  it('rotates the keys of the token service, and mandates of both keys pass', async () => {
    const before = await world.mandate();
    expect(await (await post('/v1/token-service/rotate-keys', {})).json()).toEqual({ keys: 2 });
    const after = await world.mandate();
    for (const mandate of [before, after]) expect((await world.call(mandate)).status).toBe(200);
    expect((await post('/v1/token-service/rotate-keys', { keep: 1 })).status).toBe(400);
    for (const body of ['{"keepPrevious":false', '[]', '5', 'null']) {
      const answer = await world.admin('/v1/token-service/rotate-keys', { method: 'POST', body });
      expect([body, answer.status]).toEqual([body, 400]);
    }
    expect(world.server.tokenService!.jwks().keys).toHaveLength(2);
    expect(await (await post('/v1/token-service/rotate-keys', { keepPrevious: false })).json()).toEqual({ keys: 1 });
    for (const mandate of [before, after]) expect((await world.call(mandate)).status).toBe(401);
    expect((await world.call(await world.mandate())).status).toBe(200);
  });
});
