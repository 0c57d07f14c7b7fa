import { createClient } from '@caracal/client';
import { startTestGateway } from '@caracal/testkit/gateway';
import { expect, it } from 'vitest';

it('lets an agent read and not write', async () => {
  const gateway = await startTestGateway({ upstream: () => ({ body: { total: 42 } }) });
  const agent = createClient(gateway.profile).transport({ scopes: ['example:read'] });
  expect(await (await agent('/v1/totals')).json()).toEqual({ total: 42 });
  await expect(agent('/v1/totals', { method: 'POST' })).rejects.toMatchObject({ scopes: ['example:write'] });
  expect(gateway.calls.map(({ method }) => method)).toEqual(['GET']);
  await gateway.close();
});
