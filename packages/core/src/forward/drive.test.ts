import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../errors.js';
import type { Exchange, Follower, Settlement } from '../exchange.js';
import type { Refusal } from '../head/head.js';
import type { Limits } from '../resolve/resource.js';
import type { Caller, Driven } from './caller.js';
import { drive, MAX_INTERIM_RESPONSES } from './drive.js';
import type { Plan } from './plan.js';
import type { Transport, TransportFailureKind, TransportHandler } from './transport.js';

const LIMITS: Limits = {
  connectTimeoutMs: 100,
  headersTimeoutMs: 1000,
  idleTimeoutMs: 400,
  streamIdleTimeoutMs: 2000,
  maxBodyBytes: 100,
};

/** One exchange between a fake transport and a fake caller; `log` is what the caller saw, in order. */
function setUp(options: { method?: string; body?: boolean; renewals?: boolean[]; unwritable?: boolean } = {}) {
  const log: string[] = [];
  const settlements: Settlement[] = [];
  const attempts: { handler: TransportHandler; aborted: boolean; resumed: number }[] = [];
  let follower: Follower | undefined;
  let blocks = false;
  const renewals = [...(options.renewals ?? [])];
  const plan = {
    method: options.method ?? 'GET',
    framing: options.body ? 'chunked' : 'none',
    limits: LIMITS,
  } as Plan;
  const exchange = {
    kind: 'exchange',
    requestId: 'r-1',
    plan,
    elapsedMs: () => 7,
    follow: (given: Follower) => {
      follower = given;
    },
    response: (status: number, headers: readonly string[]) =>
      status === 399
        ? refusalOf('redirect_not_allowed')
        : { kind: 'response', status, headers: [...headers], longLived: headers.includes('text/event-stream') },
    refuse: (code: ErrorCode) => refusalOf(code),
    renewable: () => options.renewals !== undefined,
    renew: async () => {
      log.push('renew');
      return renewals.shift() ?? false;
    },
    settle: (settlement: Settlement) => settlements.push(settlement),
  } as unknown as Exchange;
  const transport: Transport<string> = {
    dispatch: (_plan, _body, handler) => {
      const attempt = { handler, aborted: false, resumed: 0 };
      attempts.push(attempt);
      return {
        abort: () => {
          attempt.aborted = true;
        },
        resume: () => {
          attempt.resumed += 1;
        },
      };
    },
    close: async () => {},
  };
  const caller: Caller<string> = {
    body: options.body ? 'body' : null,
    interim: (status) => log.push(`interim ${status}`),
    respond: (status) => {
      if (options.unwritable) throw new TypeError('Invalid character in header content');
      log.push(`respond ${status}`);
    },
    write: (chunk) => {
      log.push(`write ${chunk.length}`);
      return !blocks;
    },
    end: () => log.push('end'),
    refuse: (refusal) => log.push(`refuse ${refusal.code}`),
    destroy: () => log.push('destroy'),
  };
  const driven: Driven = drive(exchange, transport, caller);
  return {
    log,
    settlements,
    attempts,
    driven,
    follower: () => follower!,
    block: (value: boolean) => {
      blocks = value;
    },
    upstream: () => attempts.at(-1)!.handler,
    fail: (kind: TransportFailureKind) => attempts.at(-1)!.handler.onFailure({ kind, cause: undefined }),
  };
}

function refusalOf(code: ErrorCode): Refusal {
  return { kind: 'refusal', status: 599, headers: [], body: '', code, requestId: 'r-1' };
}

const bytes = (count: number) => new Uint8Array(count);

describe('drive', () => {
  it('carries an answer over and settles once', () => {
    const { log, settlements, upstream } = setUp();
    upstream().onStart(false);
    upstream().onSent();
    upstream().onInterim(103, []);
    upstream().onHead(200, []);
    upstream().onChunk(bytes(5));
    upstream().onEnd();
    expect(log).toEqual(['interim 103', 'respond 200', 'write 5', 'end']);
    expect(settlements).toMatchObject([
      { outcome: 'executed', status: 200, upstreamStatus: 200, responseBytes: 5, attempts: 1, firstByteMs: 7 },
    ]);
  });

  it('stops reading while the caller takes nothing, and goes on when it does', () => {
    const { attempts, block, driven, upstream } = setUp();
    upstream().onHead(200, []);
    block(true);
    expect(upstream().onChunk(bytes(1))).toBe(false);
    driven.ready();
    expect(attempts[0]!.resumed).toBe(1);
  });

  it.each<[TransportFailureKind, string, string]>([
    ['address', 'refuse upstream_not_allowed', 'upstream_error'],
    ['unreachable', 'refuse upstream_unreachable', 'upstream_error'],
    ['timeout', 'refuse upstream_timeout', 'timeout'],
    ['invalid', 'refuse upstream_invalid', 'upstream_error'],
    ['body', 'destroy', 'client_aborted'],
  ])('answers a failure of kind %s before any answer', (kind, seen, outcome) => {
    const { log, settlements, upstream, fail } = setUp();
    upstream().onStart(false);
    fail(kind);
    expect(log).toEqual([seen]);
    expect(settlements).toMatchObject([{ outcome }]);
  });

  it('breaks off, and never ends cleanly, when the upstream fails mid-answer', () => {
    const { log, settlements, upstream, fail } = setUp();
    upstream().onHead(200, []);
    upstream().onChunk(bytes(3));
    fail('closed');
    expect(log).toEqual(['respond 200', 'write 3', 'destroy']);
    expect(settlements).toMatchObject([{ outcome: 'upstream_aborted', status: 200 }]);
  });

  it('aborts the upstream when the caller goes away', () => {
    const { attempts, driven, settlements } = setUp();
    driven.gone();
    driven.gone();
    expect(attempts[0]!.aborted).toBe(true);
    expect(settlements).toMatchObject([{ outcome: 'client_aborted' }]);
  });

  describe('sending again', () => {
    it('moves any request to another connection while nothing of it was written', () => {
      const { attempts, fail, upstream, settlements } = setUp({ method: 'POST', body: true });
      fail('closed');
      expect(attempts).toHaveLength(2);
      upstream().onHead(200, []);
      upstream().onEnd();
      expect(settlements).toMatchObject([{ outcome: 'executed', attempts: 2 }]);
    });

    it('does not do so for ever', () => {
      const { attempts, fail, log } = setUp();
      for (let index = 0; index < 3; index++) fail('closed');
      expect(attempts).toHaveLength(3);
      expect(log).toEqual(['refuse upstream_invalid']);
    });

    it('sends a GET again, once, where a reused connection closed before any answer', () => {
      const { attempts, fail, upstream, log } = setUp();
      upstream().onStart(true);
      fail('closed');
      expect(attempts).toHaveLength(2);
      upstream().onStart(true);
      fail('closed');
      expect(attempts).toHaveLength(2);
      expect(log).toEqual(['refuse upstream_invalid']);
    });

    it.each([
      ['a POST', { method: 'POST' }, true],
      ['a GET with a body', { body: true }, true],
      ['a GET on a new connection', {}, false],
    ])('never sends %s a second time once it has begun', (_name, options, reused) => {
      const { attempts, fail, upstream, log } = setUp(options);
      upstream().onStart(reused);
      fail('closed');
      expect(attempts).toHaveLength(1);
      expect(log).toEqual(['refuse upstream_invalid']);
    });

    it('never sends a request again after an interim response', () => {
      const { attempts, fail, upstream } = setUp();
      upstream().onStart(true);
      upstream().onInterim(103, []);
      fail('closed');
      expect(attempts).toHaveLength(1);
    });
  });

  describe('renewing', () => {
    it('renews once after a 401 and sends the request again', async () => {
      const { attempts, log, upstream, settlements } = setUp({ renewals: [true, true] });
      upstream().onHead(401, []);
      expect(upstream().onChunk(bytes(2))).toBe(false);
      await Promise.resolve();
      await Promise.resolve();
      expect(attempts).toHaveLength(2);
      expect(attempts[0]!.aborted).toBe(true);
      upstream().onHead(401, []);
      upstream().onEnd();
      expect(log).toEqual(['renew', 'respond 401', 'end']);
      expect(settlements).toMatchObject([{ outcome: 'executed', status: 401, attempts: 2 }]);
    });

    it('hands on the 401 whole where there is no other credential', async () => {
      const { attempts, log, upstream } = setUp({ renewals: [false] });
      upstream().onHead(401, []);
      upstream().onChunk(bytes(2));
      await Promise.resolve();
      await Promise.resolve();
      expect(log).toEqual(['renew', 'respond 401', 'write 2']);
      expect(attempts[0]!.resumed).toBe(1);
      upstream().onEnd();
      expect(log.at(-1)).toBe('end');
    });

    it('renews for later requests where the body is gone, and hands on the 401 at once', () => {
      const { attempts, log, upstream } = setUp({ renewals: [true], body: true, method: 'POST' });
      upstream().onHead(401, []);
      expect(log).toEqual(['respond 401', 'renew']);
      expect(attempts).toHaveLength(1);
    });

    it('is over when the caller goes away meanwhile', async () => {
      const { attempts, driven, upstream, settlements } = setUp({ renewals: [true] });
      upstream().onHead(401, []);
      driven.gone();
      await Promise.resolve();
      await Promise.resolve();
      expect(attempts).toHaveLength(1);
      expect(settlements).toMatchObject([{ outcome: 'client_aborted' }]);
    });
  });

  describe('limits', () => {
    it('cuts an upload that grows beyond the limit', () => {
      const { attempts, log, upstream, settlements } = setUp({ method: 'POST', body: true });
      upstream().onStart(false);
      upstream().onBodyBytes(100);
      upstream().onBodyBytes(1);
      expect(attempts[0]!.aborted).toBe(true);
      expect(log).toEqual(['refuse payload_too_large']);
      expect(settlements).toMatchObject([{ outcome: 'refused', requestBytes: 101, error: 'payload_too_large' }]);
    });

    it('accepts a bounded number of interim responses', () => {
      const { log, upstream } = setUp();
      for (let index = 0; index <= MAX_INTERIM_RESPONSES; index++) upstream().onInterim(103, []);
      expect(log.filter((entry) => entry === 'interim 103')).toHaveLength(MAX_INTERIM_RESPONSES);
      expect(log.at(-1)).toBe('refuse upstream_invalid');
    });

    it('answers a redirect that is not allowed with a refusal and gives the upstream up', () => {
      const { attempts, log, upstream } = setUp();
      upstream().onHead(399, []);
      expect(log).toEqual(['refuse redirect_not_allowed']);
      expect(attempts[0]!.aborted).toBe(true);
    });

    it('takes headers that cannot be written for an invalid answer', () => {
      const { log, upstream } = setUp({ unwritable: true });
      upstream().onHead(200, ['X', 'a\u0000b']);
      expect(log).toEqual(['refuse upstream_invalid']);
    });
  });

  describe('deadlines', () => {
    it('gives an upstream its time to think, and no more', () => {
      const { follower, log, upstream } = setUp();
      upstream().onStart(false);
      upstream().onSent();
      follower().tick(1000);
      follower().tick(1999);
      expect(log).toEqual([]);
      follower().tick(2000);
      expect(log).toEqual(['refuse upstream_timeout']);
    });

    it('does not count time in which an upload progresses', () => {
      const { follower, log, upstream } = setUp({ method: 'POST', body: true });
      upstream().onStart(false);
      for (let now = 0; now < 5000; now += 300) {
        upstream().onBodyBytes(1);
        follower().tick(now);
      }
      expect(log).toEqual([]);
      follower().tick(5400);
      expect(log).toEqual(['refuse upstream_timeout']);
    });

    it('cuts an answer that stalls, and says whose silence it was', () => {
      for (const callerBlocks of [false, true]) {
        const { block, follower, log, upstream, settlements } = setUp();
        upstream().onHead(200, []);
        block(callerBlocks);
        upstream().onChunk(bytes(1));
        follower().tick(0);
        follower().tick(399);
        expect(log).not.toContain('destroy');
        follower().tick(400);
        expect(log.at(-1)).toBe('destroy');
        expect(settlements).toMatchObject([{ outcome: callerBlocks ? 'client_aborted' : 'timeout' }]);
      }
    });

    it('lets an event stream be silent for longer', () => {
      const { follower, log, upstream } = setUp();
      upstream().onHead(200, ['content-type', 'text/event-stream']);
      follower().tick(0);
      follower().tick(1999);
      expect(log).toEqual(['respond 200']);
      follower().tick(2000);
      expect(log.at(-1)).toBe('destroy');
    });
  });

  describe('cuts', () => {
    it.each([
      ['revoked', 'session_revoked', 'revoked_mid_stream'],
      ['shutdown', 'shutting_down', 'shutdown'],
    ] as const)('%s before an answer is refused', (reason, code, outcome) => {
      const { attempts, follower, log, settlements } = setUp({ method: 'POST', body: true });
      follower().ended(reason);
      expect(attempts[0]!.aborted).toBe(true);
      expect(log).toEqual([`refuse ${code}`]);
      expect(settlements).toMatchObject([{ outcome }]);
    });

    it('an open answer is broken off, never ended', () => {
      const { attempts, follower, log, upstream, settlements } = setUp();
      upstream().onHead(200, []);
      follower().ended('expired');
      follower().ended('revoked');
      expect(attempts[0]!.aborted).toBe(true);
      expect(log).toEqual(['respond 200', 'destroy']);
      expect(settlements).toMatchObject([{ outcome: 'expired_mid_stream' }]);
    });

    it('cuts the caller first, and leaves the upstream and the record to later where many end together', () => {
      const { attempts, follower, log, upstream, settlements } = setUp();
      upstream().onHead(200, ['content-type', 'text/event-stream']);
      const rests: (() => void)[] = [];
      follower().ended('revoked', (rest) => rests.push(rest));
      expect([log, attempts[0]!.aborted, settlements]).toEqual([['respond 200', 'destroy'], false, []]);
      // Nothing can come in between, but whatever is told twice changes nothing.
      follower().ended('shutdown', (rest) => rests.push(rest));
      for (const rest of rests) rest();
      expect(attempts[0]!.aborted).toBe(true);
      expect(settlements).toMatchObject([{ outcome: 'revoked_mid_stream' }]);
    });
  });
});
