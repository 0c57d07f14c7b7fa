import { describe, expect, it } from 'vitest';
import { fakeWorld, UPSTREAM_KEY } from './fake-world.js';

describe('explain', () => {
  it('tells every check in order, and spends, sends and records nothing', async () => {
    const world = await fakeWorld({ mandateReuse: 'single_use', rateLimit: { requests: 1, windowSeconds: 60 } });
    const mandate = await world.mint();
    const before = world.audit.records().length;
    const explanation = await world.gateway.explain(world.head(mandate));
    expect(explanation).toMatchObject({
      decision: 'allowed',
      principal: { zoneId: 'default' },
      resource: 'resource://billing-api',
      operation: { template: '/v1/invoices/{id}' },
    });
    expect(explanation.checks.map(({ rows }) => rows)).toEqual([
      ...['1, 2', '3, 4', '5', '6', '7', '8', '9', '10', '11', '12, 13', '14', '15', '16', '17', '18', '19'],
    ]);
    expect(explanation.checks.filter(({ result }) => result === 'not_spent').map(({ name }) => name)).toEqual([
      ...['rate limit', 'audit room', 'single use', 'authorization record'],
    ]);
    expect(world.audit.records()).toHaveLength(before);
    expect(world.transport.plans).toEqual([]);
    expect(JSON.stringify(explanation)).not.toContain(mandate);
    expect(JSON.stringify(explanation)).not.toContain(UPSTREAM_KEY);
    expect((await world.send(world.head(mandate))).status).toBe(200);
  });

  it('names the check that denies, and what was not reached after it', async () => {
    const world = await fakeWorld();
    const explanation = await world.gateway.explain(world.head(await world.mint({ scope: '' })));
    expect(explanation).toMatchObject({ decision: 'denied', error: 'insufficient_scope' });
    const results = explanation.checks.map(({ result }) => result);
    expect(results.indexOf('denied')).toBe(7);
    expect(new Set(results.slice(8))).toEqual(new Set(['not_reached']));
  });
});
