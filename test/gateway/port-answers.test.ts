import type { GatewayOptions, RateVerdict, ReplayVerdict } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { fakeWorld } from './fake-world.js';

/** What a decision point in plain JavaScript, or behind JSON, may answer. */
const DECISIONS: readonly unknown[] = [
  undefined,
  null,
  true,
  {},
  { allowed: 'true' },
  { allowed: false, reason: 42 },
  { allowed: false, reason: { en: 'no' } },
  { allowed: false, policies: 'p1' },
  { allowed: false, policies: null },
  { allowed: false, policies: [Object.create(null)] },
  { allowed: true, policies: 5 },
  { allowed: true, policies: [{}] },
];

async function answered(options: Partial<GatewayOptions>) {
  const world = await fakeWorld({ mandateReuse: 'single_use', rateLimit: { requests: 9, windowSeconds: 9 } }, options);
  const answer = await world.send(world.head(await world.mint()));
  expect(world.transport.plans).toEqual([]);
  return { ...answer, record: world.audit.records().at(-1) };
}

describe('an answer of a port that is none', () => {
  it.each(DECISIONS.flatMap((decision) => [[decision, 'now'] as const, [decision, 'later'] as const]))(
    'of an authorizer is its fault, and is recorded: %j, %s',
    async (decision, when) => {
      const authorize = () => (when === 'now' ? decision : Promise.resolve(decision)) as never;
      const { status, error, record } = await answered({ authorizers: [{ authorize }] });
      expect([status, error]).toEqual([503, 'authorizer_unavailable']);
      expect(record).toMatchObject({ error: 'authorizer_unavailable', reason: 'invalid_decision' });
    },
  );

  it.each([undefined, null, 0, 'seen', { first: true }])('of a replay store refuses: %j', async (verdict) => {
    const { error, record } = await answered({ replays: { use: async () => verdict as ReplayVerdict } });
    expect(error).toBe('replay_unavailable');
    expect(record).toMatchObject({ error: 'replay_unavailable', reason: 'invalid_verdict' });
  });

  it.each([
    undefined,
    null,
    {},
    { allowed: 'yes' },
    { allowed: false },
    { allowed: false, retryAfterSeconds: '1\r\n' },
  ])('of a rate limiter refuses: %j', async (verdict) => {
    const { error } = await answered({ rateLimiter: { consume: async () => verdict as RateVerdict } });
    expect(error).toBe('rate_limit_unavailable');
  });
});

describe('whoever is told of faults', () => {
  it('cannot make another one by throwing', async () => {
    const authorize = () => {
      throw new Error('the decision point is down');
    };
    const onFault = () => {
      throw new Error('the log is full');
    };
    const { error, record } = await answered({ authorizers: [{ authorize }], onFault });
    expect(error).toBe('authorizer_unavailable');
    expect(record).toMatchObject({ type: 'request.denied', error: 'authorizer_unavailable' });
  });
});
