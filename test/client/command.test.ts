import { createClient } from '@caracal/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BILLING, type CommandWorld, commandWorld, SECRETS } from '../cli/world.js';

let world: CommandWorld;
beforeAll(async () => {
  world = await commandWorld();
});
afterAll(() => world?.close());

it('caracal audit trace shows the call by the request id the agent has, with the issue of its mandate', async () => {
  const billing = createClient({
    gatewayUrl: world.url.gateway,
    tokenUrl: `${world.url.tokenService}/oauth/2/token`,
    applicationId: 'billing-agent',
    applicationSecret: SECRETS.AGENT_SECRET,
    resources: [{ identifier: BILLING }],
  }).transport({ scopes: ['billing:read'] });
  const response = await billing('/v1/invoices/42', { headers: { 'X-Request-Id': 'task-7' } });
  expect(await response.json()).toEqual({ invoice: 42 });
  const requestId = response.headers.get('x-caracal-request-id')!;

  const traced = await world.caracal(['audit', 'trace', requestId, '--json']);
  expect(traced.code, traced.err).toBe(0);
  const [{ issue, records, ...whole }] = traced.objects() as [ReturnType<typeof JSON.parse>];
  expect(whole).toEqual({ requestId, outcome: 'executed' });
  expect(records).toMatchObject([
    { type: 'request.authorized', clientRequestId: 'task-7', path: '/v1/invoices/42' },
    { type: 'request.completed', status: 200 },
  ]);
  expect(issue).toMatchObject({ type: 'mandate.issued', jti: records[0].jti });
  for (const secret of Object.values(SECRETS)) expect(traced.out + traced.err).not.toContain(secret);
});
