import type { Exchange, Settlement } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.js';

const DONE: Settlement = {
  outcome: 'executed',
  status: 200,
  upstreamStatus: undefined,
  requestBytes: 0,
  responseBytes: 0,
  firstByteMs: undefined,
  attempts: 0,
  error: undefined,
  reason: undefined,
};

async function admitted(world: FakeWorld): Promise<Exchange> {
  const verdict = await world.gateway.admit(world.head(await world.mint({ sid: 'the-session' })));
  if (verdict.kind === 'refusal') throw new Error(verdict.body);
  return verdict;
}

function revokeSession(world: FakeWorld): Promise<void> {
  return world.revocations.revoke({ zoneId: 'default', issuer: world.issuer.issuer, kind: 'sid', id: 'the-session' });
}

describe('an exchange of a service that enforces inside itself', () => {
  it('tells who was admitted, has no plan, and leaves the same evidence', async () => {
    const world = await fakeWorld();
    const exchange = await admitted(world);
    expect(exchange.principal).toMatchObject({ sessionId: 'the-session', zoneId: 'default' });
    exchange.settle(DONE);
    exchange.settle({ ...DONE, outcome: 'timeout' });
    const records = world.audit.records().filter(({ requestId }) => requestId === exchange.requestId);
    expect(records.map(({ type, outcome }) => [type, outcome])).toEqual([
      ['request.authorized', undefined],
      ['request.completed', 'executed'],
    ]);
    expect(world.gateway.liveExchanges).toBe(0);
  });

  it('aborts its signal when the session is revoked, also where it is read afterwards', async () => {
    const world = await fakeWorld();
    const [early, late] = [await admitted(world), await admitted(world)];
    const { signal } = early;
    expect(signal.aborted).toBe(false);
    await revokeSession(world);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe('revoked');
    expect(late.signal.aborted).toBe(true);
    for (const exchange of [early, late]) exchange.settle({ ...DONE, outcome: 'revoked_mid_stream' });
  });

  it('tells a follower that comes after the end', async () => {
    const world = await fakeWorld();
    const exchange = await admitted(world);
    await revokeSession(world);
    const told: string[] = [];
    exchange.follow({ tickMs: 1000, tick: () => {}, ended: (reason) => told.push(reason) });
    expect(told).toEqual(['revoked']);
    exchange.settle({ ...DONE, outcome: 'revoked_mid_stream' });
  });

  it('is cut off when the gateway closes, and keeps no timer running', async () => {
    const world = await fakeWorld();
    const exchange = await admitted(world);
    const told: string[] = [];
    exchange.follow({ tickMs: 1000, tick: () => {}, ended: (reason) => told.push(reason) });
    await world.gateway.close({ drainTimeoutMs: 1 });
    expect(told).toEqual(['shutdown']);
  });
});
