import {
  CALLER_LEFT,
  type CredentialRequest,
  deny,
  type Presence,
  type Provider,
  type RequestEnd,
  type Telemetry,
} from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { fakeWorld } from './fake-world.js';

const CREDENTIAL = Object.freeze({ headers: [], query: undefined, secrets: ['token'], connection: undefined });

function waitingProvider(changes: Partial<Provider>): Provider {
  return {
    id: 'provider://token',
    kind: 'oauth2_client_credentials',
    origins: ['https://billing.example'],
    headerNames: ['authorization'],
    renewable: true,
    attach: () => CREDENTIAL,
    renew: async () => CREDENTIAL,
    ...changes,
  };
}

/** Waits for nothing but its caller's leaving. */
const untilGone = ({ presence }: CredentialRequest) =>
  new Promise<ReturnType<typeof deny>>((resolve) => {
    presence?.signal.addEventListener('abort', () => resolve(deny('credential_unavailable', CALLER_LEFT)));
  });

describe('the presence of a caller', () => {
  it('ends the wait for a credential when it has gone; nothing reaches the upstream and the record says why', async () => {
    let waits = false;
    const attach = (request: CredentialRequest) => {
      waits = true;
      return untilGone(request);
    };
    const ends: RequestEnd[] = [];
    const telemetry: Telemetry = {
      received: (_head, trace) => ({
        trace,
        forwarding: () => trace,
        finished: (_admission, end) => void ends.push(end),
      }),
    };
    const world = await fakeWorld({ provider: waitingProvider({ attach }) }, { portTimeoutMs: 600_000, telemetry });
    const caller = new AbortController();
    const answer = world.send(world.head(await world.mint(), { presence: caller }));
    await expect.poll(() => waits).toBe(true);
    caller.abort();
    expect(await answer).toMatchObject({ status: 503, error: 'credential_unavailable' });
    expect(world.transport.plans).toEqual([]);
    // Of a caller who hung up: neither the record nor a metric says that the upstream's credential was missing for anybody.
    expect(world.audit.records().at(-1)).toMatchObject({
      type: 'request.denied',
      reason: CALLER_LEFT,
      status: undefined,
      outcome: 'client_aborted',
    });
    expect(ends).toMatchObject([{ status: undefined, code: undefined, settlement: { outcome: 'client_aborted' } }]);
    await world.gateway.close();
  });

  it('ends the wait for another credential after a 401', async () => {
    const renewals: CredentialRequest[] = [];
    const renew = (request: CredentialRequest) => {
      renewals.push(request);
      return untilGone(request);
    };
    const world = await fakeWorld({ provider: waitingProvider({ renew }) });
    world.transport.upstream = (handler) => {
      handler.onStart(false);
      handler.onSent();
      handler.onHead(401, ['Content-Length', '0']);
      handler.onEnd();
    };
    const caller = new AbortController();
    const answer = world.send(world.head(await world.mint(), { presence: caller }));
    await expect.poll(() => renewals.length).toBe(1);
    caller.abort();
    expect((await answer).status).toBe(401);
    expect(renewals[0]?.presence).toBe(caller);
    await world.gateway.close();
  });

  it('is not asked for by requests that wait for nothing', async () => {
    let asked = 0;
    const presence: Presence = {
      get signal() {
        asked++;
        return new AbortController().signal;
      },
    };
    for (const provider of [undefined, waitingProvider({})]) {
      const world = await fakeWorld(provider === undefined ? {} : { provider });
      expect((await world.send(world.head(await world.mint(), { presence }))).status).toBe(200);
      await world.gateway.close();
    }
    expect(asked).toBe(0);
  });
});
