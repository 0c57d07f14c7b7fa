import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../errors.js';
import type { Exchange, Follower, Settlement } from '../exchange.js';
import type { Refusal } from '../head/head.js';
import type { Caller, UpgradeCaller } from './caller.js';
import type { Channel, ChannelListener } from './channel.js';
import { drive } from './drive.js';
import type { Plan } from './plan.js';
import type { Transport, TransportHandler } from './transport.js';

const UPGRADE = { key: 'dGhlIHNhbXBsZSBub25jZQ==', protocols: [], extensions: [] };
const ANSWER = [
  'Upgrade',
  'websocket',
  'Connection',
  'Upgrade',
  'Sec-WebSocket-Accept',
  's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
];

class FakeChannel implements Channel {
  listener: ChannelListener | undefined;
  written = 0;
  destroyed = false;
  open(listener: ChannelListener): void {
    this.listener = listener;
  }
  write(chunk: Uint8Array): boolean {
    this.written += chunk.length;
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {
    this.destroyed = true;
  }
}

/** An upgrade between a fake transport and a fake caller; `log` is what the caller saw, in order. */
function setUp(options: { plan?: Partial<Plan>; ordinaryCaller?: boolean; unwritable?: boolean } = {}) {
  const log: string[] = [];
  const settlements: Settlement[] = [];
  const handlers: TransportHandler[] = [];
  const followers: Follower[] = [];
  const plan = {
    method: 'GET',
    framing: 'none',
    limits: { headersTimeoutMs: 1_000, idleTimeoutMs: 1_000, streamIdleTimeoutMs: 9_000 },
    upgrade: UPGRADE,
    ...options.plan,
  } as Plan;
  const refusalOf = (code: ErrorCode) => ({ kind: 'refusal', status: 599, code }) as Refusal;
  const exchange = {
    kind: 'exchange',
    plan,
    elapsedMs: () => 7,
    follow: (follower: Follower) => followers.push(follower),
    response: (status: number) => ({ kind: 'response', status, headers: ['X-Made', 'here'], longLived: true }),
    refuse: refusalOf,
    renewable: () => false,
    settle: (settlement: Settlement) => settlements.push(settlement),
  } as unknown as Exchange;
  const transport: Transport<string> = {
    dispatch: (_plan, _body, handler) => {
      handlers.push(handler);
      return { abort: () => log.push('abort'), resume: () => {} };
    },
    close: async () => {},
  };
  const [ofCaller, ofUpstream] = [new FakeChannel(), new FakeChannel()];
  const ordinary: Caller<string> = {
    body: null,
    interim: () => {},
    respond: (status) => log.push(`respond ${status}`),
    write: () => true,
    end: () => log.push('end'),
    refuse: (refusal) => log.push(`refuse ${refusal.code}`),
    destroy: () => log.push('destroy'),
  };
  const upgrading: UpgradeCaller<string> = {
    ...ordinary,
    switchProtocols: (headers) => {
      if (options.unwritable) throw new TypeError('Invalid character in header content');
      log.push(`switch ${headers.join(' ')}`);
      return ofCaller;
    },
  };
  const driven = drive(exchange, transport, options.ordinaryCaller ? ordinary : upgrading);
  return { log, settlements, handlers, followers, driven, ofCaller, ofUpstream };
}

describe('drive with an upgrade', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('hands both connections to a relay that follows the exchange from then on, and settles with its bytes', async () => {
    const { log, settlements, handlers, followers, driven, ofCaller, ofUpstream } = setUp();
    handlers[0]!.onSwitch(ANSWER, ofUpstream);
    await vi.waitFor(() => expect(log).toHaveLength(1));
    expect(log).toEqual(['switch Upgrade websocket Connection Upgrade X-Made here']);
    expect(followers).toHaveLength(2);
    // Whatever becomes of the caller is the channel's to tell now.
    driven.gone();
    ofCaller.listener!.onChunk(new Uint8Array([0x81, 0x80, 0, 0, 0, 0]));
    ofUpstream.listener!.onChunk(new Uint8Array([0x81, 0]));
    followers[1]!.ended('revoked');
    expect(settlements).toMatchObject([
      {
        outcome: 'revoked_mid_stream',
        status: 101,
        upstreamStatus: 101,
        requestBytes: 6,
        responseBytes: 2,
        firstByteMs: 7,
        attempts: 1,
        reason: 'revoked',
      },
    ]);
  });

  it.each([
    ['the answer to another offer', {}, ANSWER.with(5, 'wrong'), 'switch_accept'],
    ['a 101 to a plan that asks for none', { plan: { upgrade: undefined } }, ANSWER, 'switch_unasked'],
    ['a header that cannot be written', { unwritable: true }, ANSWER, 'unwritable_headers'],
  ])('refuses %s', async (_, options, headers, reason) => {
    const { log, settlements, handlers, ofUpstream } = setUp(options);
    handlers[0]!.onSwitch(headers, ofUpstream);
    await vi.waitFor(() => expect(settlements).toHaveLength(1));
    expect(log).toEqual(['abort', 'refuse upstream_invalid']);
    expect(settlements).toMatchObject([{ outcome: 'upstream_error', status: 599, upstreamStatus: 101, reason }]);
    expect(ofUpstream.destroyed).toBe(true);
  });

  it('closes an upstream that switches when the caller has just gone', async () => {
    const { log, settlements, handlers, driven, ofUpstream } = setUp();
    handlers[0]!.onSwitch(ANSWER, ofUpstream);
    driven.gone();
    await vi.waitFor(() => expect(ofUpstream.destroyed).toBe(true));
    expect(log).toEqual(['abort']);
    expect(settlements).toMatchObject([{ outcome: 'client_aborted' }]);
  });

  it('relays any other answer', () => {
    const { log, settlements, handlers } = setUp();
    handlers[0]!.onHead(403, []);
    handlers[0]!.onEnd();
    expect(log).toEqual(['respond 403', 'end']);
    expect(settlements).toMatchObject([{ outcome: 'executed', status: 403 }]);
  });

  it('refuses a caller whose connection cannot be handed over, and contacts no upstream', () => {
    const { log, settlements, handlers } = setUp({ ordinaryCaller: true });
    expect(log).toEqual(['refuse upgrade_not_permitted']);
    expect(handlers).toEqual([]);
    expect(settlements).toMatchObject([{ outcome: 'refused', attempts: 0, reason: 'upgrade_unsupported' }]);
  });
});
