import { createClient } from '@caracal/client';
import { startTestGateway } from '@caracal/testkit/gateway';
import { expect, it, vi } from 'vitest';

const LIFE_S = 4;

it('an agent outlives its mandates: calls go on, and one under way when its mandate expires is finished', async () => {
  let finish = () => {};
  const finished = new Promise<undefined>((resolve) => {
    finish = () => resolve(undefined);
  });
  await using gateway = await startTestGateway({
    upstream: ({ url }) => (url === '/v1/slow' ? finished : undefined),
  });
  const mandates: string[] = [];
  const agent = createClient({
    ...gateway.profile,
    // The token endpoint of this test issues mandates of a few seconds.
    fetch: async (input: string | URL | Request, init?: RequestInit) => {
      if (String(input) !== gateway.profile.tokenUrl) return fetch(input, init);
      mandates.push(await gateway.mint({ exp: Math.floor(Date.now() / 1000) + LIFE_S }));
      return Response.json({ access_token: mandates.at(-1), token_type: 'Bearer', expires_in: LIFE_S });
    },
  }).transport();

  const slow = agent('/v1/slow');
  await vi.waitUntil(() => gateway.calls.some(({ url }) => url === '/v1/slow'), { timeout: 30_000 });
  await vi.waitUntil(
    async () => {
      expect((await agent('/v1/x')).status).toBe(200);
      return (await gateway.call('/v1/x', { mandate: mandates[0]! })).status === 401;
    },
    { timeout: 60_000, interval: 200 },
  );
  finish();
  expect(await (await slow).json()).toEqual({ ok: true });
  expect(mandates.length).toBeGreaterThan(1);
}, 120_000);
