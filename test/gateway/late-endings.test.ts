import { type AuditSink, memoryRevocationStore } from '@caracal/core';
import { describe, expect, it, vi } from 'vitest';
import { fakeWorld } from './fake-world.js';

const SESSION = { zoneId: 'default', kind: 'sid', id: 'late-session' } as const;
const LONGEST_ADMISSION = 20;

describe('a revocation while a request is on its way from the last check to the upstream', () => {
  it.each(Array.from({ length: LONGEST_ADMISSION }, (_, microtasks) => microtasks))(
    'lets nothing through, %i microtasks after the record was accepted',
    async (microtasks) => {
      const revocations = memoryRevocationStore();
      let revoked: Promise<void> | undefined;
      const revokeSoon = async () => {
        for (let passed = 0; passed < microtasks; passed++) await undefined;
        await revocations.revoke({ ...SESSION, issuer: world.issuer.issuer });
      };
      const sink: AuditSink = {
        append: async ({ type }) => {
          if (type !== 'request.authorized') return;
          await new Promise((resolve) => setTimeout(resolve, 1));
          revoked = revokeSoon();
        },
      };
      const authorizers = [{ authorize: async () => ({ allowed: true }) }];
      const world = await fakeWorld({}, { revocations, audit: { sink }, authorizers });
      const head = world.head(await world.mint({ sid: SESSION.id }));
      const verdict = await world.gateway.admit(head);
      await revoked;
      if (verdict.kind === 'refusal') {
        expect(verdict.code).toBe('session_revoked');
        return;
      }
      const ended: string[] = [];
      verdict.follow({ ended: (reason) => ended.push(reason), tick: () => {}, tickMs: 1000 });
      expect(ended).toEqual(['revoked']);
    },
  );

  it('is answered as such where it comes before the drive, and nothing is sent', async () => {
    const world = await fakeWorld();
    const head = world.head(await world.mint({ sid: SESSION.id }));
    const { admit } = world.gateway;
    world.gateway.admit = async (received) => {
      const verdict = await admit.call(world.gateway, received);
      await world.revocations.revoke({ ...SESSION, issuer: world.issuer.issuer });
      return verdict;
    };
    expect(await world.send(head)).toMatchObject({ status: 401, error: 'session_revoked' });
    expect(world.transport.plans).toEqual([]);
    expect(world.gateway.liveExchanges).toBe(0);
    expect(world.audit.records().at(-1)).toMatchObject({ outcome: 'revoked_mid_stream', error: 'session_revoked' });
  });
});

describe('a gateway that has closed', () => {
  it('admits nothing that was still being decided: nobody would watch over it', async () => {
    let decide = () => {};
    const decided = new Promise<void>((resolve) => {
      decide = resolve;
    });
    const authorize = async () => {
      await decided;
      return { allowed: true };
    };
    const world = await fakeWorld({}, { authorizers: [{ authorize }] });
    const answer = world.send(world.head(await world.mint()));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await world.gateway.close({ drainTimeoutMs: 1 });
    decide();
    expect(await answer).toMatchObject({ status: 503, error: 'shutting_down' });
    expect(world.transport.plans).toEqual([]);
    expect(world.gateway.liveExchanges).toBe(0);
  });
});

describe('an event stream', () => {
  it('is cut when its mandate is over, also where the wall clock was set back meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const clock = { wallMs: Date.now(), monotonicMs: 0 };
      const world = await fakeWorld({}, { clock: { now: () => clock.wallMs, monotonic: () => clock.monotonicMs } });
      world.transport.upstream = (handler) => {
        handler.onStart(false);
        handler.onSent();
        handler.onHead(200, ['Content-Type', 'text/event-stream']);
      };
      const answer = world.send(world.head(await world.mint()));
      await vi.waitFor(() => expect(world.gateway.liveExchanges).toBe(1));
      clock.wallMs -= 3_600_000;
      clock.monotonicMs += 3_600_000;
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await answer).toMatchObject({ status: 200, cut: true });
      expect(world.audit.records().at(-1)).toMatchObject({ outcome: 'expired_mid_stream' });
    } finally {
      vi.useRealTimers();
    }
  });
});
