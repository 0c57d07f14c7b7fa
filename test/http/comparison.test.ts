import { createServer } from '@caracal/node';
import { gatewayStarter, localSubject, startHttpSuite } from '@caracal/testkit';
import { expect, it } from 'vitest';
import { expressServer } from '../../docs/examples/adapters/express.js';
import { fastifyServer } from '../../docs/examples/adapters/fastify.js';
import { honoServer } from '../../docs/examples/adapters/hono.js';
import { koaServer } from '../../docs/examples/adapters/koa.js';
import { compared, observations } from '../runtimes/comparison.mjs';

async function observed(start: Parameters<typeof gatewayStarter>[0]) {
  const suite = await startHttpSuite({ start: (config) => localSubject(config, gatewayStarter(start)) });
  try {
    return await observations(suite);
  } finally {
    await suite.close();
  }
}

const reference = await observed(createServer);

it('the probes meet verdicts of every kind', () => {
  const statuses = Object.values(reference).map(({ verdict }) => verdict.status);
  expect(new Set(statuses)).toEqual(new Set([200, 204, 302, 304, 400, 401, 403, 405, 413, 431, 500, 502]));
});

it.each([
  ['Koa', koaServer, true],
  ['Express', expressServer, true],
  ['Fastify', fastifyServer, true],
  ['fetch under Hono', honoServer, false],
] as const)('%s answers, forwards and records the same bytes as node:http does', async (_, start, raw) => {
  const seen = await observed(start);
  for (const [name, observation] of Object.entries(reference)) {
    expect(compared(seen[name], raw), name).toEqual(compared(observation, raw));
  }
});
