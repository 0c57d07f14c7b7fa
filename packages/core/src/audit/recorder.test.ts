import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Attached, PartlyAdmitted } from '../admission.js';
import type { Settlement } from '../exchange.js';
import type { AuditSink, Durability } from './audit-sink.js';
import type { AuditRecord } from './record.js';
import { Recorder } from './recorder.js';

const SETTLEMENT: Settlement = {
  outcome: 'executed',
  status: 200,
  upstreamStatus: 200,
  requestBytes: 1,
  responseBytes: 2,
  firstByteMs: 3,
  attempts: 1,
  error: undefined,
  reason: undefined,
};

const REFUSED = {
  code: 'invalid_token',
  reason: 'expired',
  policies: undefined,
  status: 401,
  outcome: 'refused',
  anonymous: true,
} as const;

function request(target = '/v1/a?key=secret'): PartlyAdmitted {
  return {
    requestId: 'r-1',
    head: {
      method: 'GET',
      target,
      headers: [],
      httpVersion: '1.1',
      peer: { address: '192.0.2.1' },
      upgrade: false,
      fidelity: 'raw',
    },
    receivedAt: 0,
    startedAt: 0,
    trace: { traceId: 't' } as PartlyAdmitted['trace'],
    evidence: 'none',
  };
}

function admitted(): Attached {
  return {
    ...request(),
    mandate: { zoneId: 'default', issuer: 'https://id.example', jti: 'j', subject: 's', applicationId: 'a' },
    resource: { identifier: 'resource://a', provider: { id: 'p', kind: 'none' }, upstream: { host: 'up.example' } },
    policies: [],
  } as unknown as Attached;
}

describe('Recorder', () => {
  let now = 0;
  let records: AuditRecord[] = [];
  let faults: unknown[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    now = 0;
    records = [];
    faults = [];
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function recorder(options: { durability?: Durability; room?: number; sink?: AuditSink } = {}) {
    return new Recorder({
      sink: options.sink ?? { append: (record) => void records.push(record) },
      durability: options.durability ?? 'written',
      gatewayId: 'g',
      room: options.room ?? 100,
      clock: { now: () => now, monotonic: () => now },
      onFault: (cause) => faults.push(cause),
    });
  }

  it.each([
    ['written', 'written', 'buffered'],
    ['synced', 'synced', 'synced'],
    ['buffered', undefined, 'buffered'],
  ] as const)(
    'asks in %s for what an authorization is promised, and for less at the end of an exchange',
    (durability, awaited, other) => {
      const asked: unknown[] = [];
      const sink: AuditSink = { append: ({ type }, durable) => void asked.push([type, durable]) };
      const subject = recorder({ durability, sink });
      const admission = admitted();
      subject.reserve(admission);
      subject.authorized(admission);
      subject.completed(admission, SETTLEMENT);
      subject.refused(request(), { ...REFUSED, anonymous: false });
      const authorized = awaited === undefined ? [] : [['request.authorized', awaited]];
      expect(asked).toEqual([...authorized, ['request.completed', other], ['request.denied', durability]]);
    },
  );

  it('leaves two records of an allowed request, the second slim', () => {
    const audit = recorder();
    const admission = admitted();
    expect(audit.reserve(admission)).toBe(true);
    void audit.authorized(admission);
    audit.completed(admission, SETTLEMENT);
    expect(records.map(({ type }) => type)).toEqual(['request.authorized', 'request.completed']);
    expect(records[0]).toMatchObject({
      decision: 'allowed',
      applicationId: 'a',
      path: '/v1/a',
      resource: 'resource://a',
    });
    expect(records[1]).not.toHaveProperty('applicationId');
    expect(records[1]).toMatchObject({ requestId: 'r-1', outcome: 'executed', responseBytes: 2 });
  });

  it('leaves one full record in buffered mode', () => {
    const audit = recorder({ durability: 'buffered' });
    const admission = admitted();
    audit.reserve(admission);
    void audit.authorized(admission);
    audit.completed(admission, SETTLEMENT);
    expect(records).toMatchObject([{ type: 'request.completed', applicationId: 'a', outcome: 'executed' }]);
  });

  it('keeps the query and, before verification, every claim out of a refusal', () => {
    recorder().refused(request(), REFUSED);
    expect(records).toMatchObject([
      { type: 'request.denied', error: 'invalid_token', path: '/v1/a', outcome: 'refused' },
    ]);
    expect(JSON.stringify(records)).not.toContain('secret');
    expect(records[0]!.issuer).toBeUndefined();
  });

  it('keeps no part of a target that is not a path', () => {
    recorder().refused(request('http://user:pass@host/x'), REFUSED);
    expect(records[0]).toMatchObject({ path: '' });
  });

  it('completes the authorized record of a request that was refused after it', () => {
    const audit = recorder();
    const admission = admitted();
    audit.reserve(admission);
    void audit.authorized(admission);
    audit.refused(admission, { ...REFUSED, anonymous: false });
    expect(records.map(({ type }) => type)).toEqual(['request.authorized', 'request.completed']);
    expect(records[1]).toMatchObject({ outcome: 'refused', error: 'invalid_token' });
  });

  it('gives the room back, however a request ends', async () => {
    const audit = recorder({ room: 8 });
    for (let index = 0; index < 50; index++) {
      const admission = admitted();
      expect(audit.reserve(admission)).toBe(true);
      if (index % 3 === 0) {
        audit.refused(admission, { ...REFUSED, anonymous: false });
        continue;
      }
      void audit.authorized(admission);
      if (index % 3 === 1) audit.refused(admission, { ...REFUSED, anonymous: false });
      else audit.completed(admission, SETTLEMENT);
    }
  });

  it('is not confused by an append that succeeds after its request was refused', async () => {
    let accept = () => {};
    const sink: AuditSink = {
      append: (record) =>
        record.type === 'request.authorized'
          ? new Promise<void>((resolve) => {
              accept = resolve;
            })
          : void records.push(record),
    };
    const audit = recorder({ sink, room: 8 });
    const admission = admitted();
    audit.reserve(admission);
    const written = audit.authorized(admission);
    audit.refused(admission, { ...REFUSED, anonymous: false });
    accept();
    await written;
    expect(admission.evidence).toBe('closed');
    expect([1, 2, 3, 4, 5].map(() => audit.reserve(admitted()))).toEqual([true, true, true, true, false]);
  });

  it('keeps the room of a record that the sink has not answered for, and gives it back when the sink does', async () => {
    const settle: (() => void)[] = [];
    const sink: AuditSink = {
      append: (record) =>
        record.type === 'request.authorized'
          ? new Promise<void>((resolve, reject) => {
              settle.push(settle.length % 2 === 0 ? resolve : () => reject(new Error('disk full')));
            })
          : undefined,
    };
    const audit = recorder({ sink, room: 8 });
    const written: Promise<unknown>[] = [];
    for (let index = 0; index < 20; index++) {
      const admission = admitted();
      if (!audit.reserve(admission)) continue;
      written.push(Promise.resolve(audit.authorized(admission)).catch(() => {}));
      audit.refused(admission, { ...REFUSED, anonymous: false }); // nobody waits for the sink any longer
    }
    expect(settle).toHaveLength(7);
    for (const end of settle) end();
    await Promise.all(written);
    expect([1, 2, 3, 4, 5].map(() => audit.reserve(admitted()))).toEqual([true, true, true, true, false]);
  });

  it('ends the evidence of a request whose record was accepted after it had been refused', async () => {
    let accept = () => {};
    const sink: AuditSink = {
      append: (record) => {
        records.push(record);
        if (record.type !== 'request.authorized') return;
        return new Promise<void>((resolve) => {
          accept = resolve;
        });
      },
    };
    const audit = recorder({ sink });
    const admission = admitted();
    audit.reserve(admission);
    const written = audit.authorized(admission);
    audit.refused(admission, { ...REFUSED, code: 'audit_unavailable', reason: 'timeout', anonymous: false });
    accept();
    await written;
    expect(records.map(({ type }) => type)).toEqual(['request.authorized', 'request.denied', 'request.completed']);
    expect(records.at(-1)).toMatchObject({
      outcome: 'refused',
      error: 'audit_unavailable',
      reason: 'accepted_too_late',
    });
  });

  it('makes one record a second of a flood, with an exact count', () => {
    const audit = recorder();
    for (let index = 0; index < 1000; index++) audit.refused(request(), REFUSED);
    expect(records).toHaveLength(100);
    vi.advanceTimersByTime(1000);
    expect(records).toHaveLength(101);
    expect(records.at(-1)).toMatchObject({
      count: 900,
      error: 'invalid_token',
      peer: '192.0.2.1',
      reason: 'aggregated',
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('calls no preflight of a flood denied', () => {
    const audit = recorder();
    for (let index = 0; index < 103; index++) audit.refused(request(), { ...REFUSED, code: undefined, status: 204 });
    vi.advanceTimersByTime(1000);
    expect(records.at(-1)).toMatchObject({ type: 'request.completed', decision: 'preflight', count: 3 });
  });

  it('counts what a failing sink did not take, and tells it once it is back', async () => {
    let broken = true;
    const sink: AuditSink = {
      append: async (record) => {
        if (broken) throw new Error('disk full');
        records.push(record);
      },
    };
    const audit = recorder({ sink });
    for (let index = 0; index < 7; index++) audit.refused(request(), REFUSED);
    await vi.advanceTimersByTimeAsync(10);
    expect(faults).toHaveLength(7);
    broken = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(records).toMatchObject([{ type: 'records.omitted', reason: 'no_room', count: 7 }]);
    expect(records[0]!.decision).toBeUndefined();
  });

  it.each(['buffered', 'written'] as const)(
    'has no room from the end that a sink did not take until the sink has taken its count, in %s',
    async (durability) => {
      let broken = false;
      const sink: AuditSink = {
        append: async (record, asked) => {
          if (broken && asked === 'buffered') throw new Error('journal full');
          records.push(record);
        },
      };
      const audit = recorder({ durability, sink });
      const ends = async () => {
        const admission = admitted();
        if (!audit.reserve(admission)) return false;
        await audit.authorized(admission);
        audit.completed(admission, SETTLEMENT);
        await vi.advanceTimersByTimeAsync(0);
        return true;
      };
      expect(await ends()).toBe(true);
      broken = true;
      expect(await ends()).toBe(true);
      expect(await ends()).toBe(false);
      if (durability === 'buffered') {
        await vi.advanceTimersByTimeAsync(5000);
        expect(await ends()).toBe(false);
      }
      broken = false;
      await vi.advanceTimersByTimeAsync(100);
      expect(records.at(-1)).toMatchObject({ type: 'records.omitted', count: 1 });
      expect(await ends()).toBe(true);
      expect(records.at(-1)).toMatchObject({ type: 'request.completed' });
    },
  );

  it('records its own start and stop, and leaves no timer behind', () => {
    const audit = recorder();
    audit.started();
    for (let index = 0; index < 101; index++) audit.refused(request(), REFUSED);
    audit.close();
    expect(records[0]).toMatchObject({ type: 'gateway.started' });
    expect(records.slice(-2)).toMatchObject([{ count: 1 }, { type: 'gateway.stopped' }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
