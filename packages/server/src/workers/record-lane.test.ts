import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditRecord, CaracalError, type Durability } from '@caracal/core';
import { type AppendWaiter, type Journal, openJournal } from '@caracal/file';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AnswerReader, answerBytes, type RecordAnswer, RecordFrames, RecordReader } from './record-frames.js';
import { RecordIntake } from './record-intake.js';
import { RecordLane } from './record-lane.js';

const of = (
  requestId: string | undefined,
  type: AuditRecord['type'],
  facts: Partial<AuditRecord> = {},
): AuditRecord => ({
  id: `${requestId}-${type}`,
  type,
  time: '2026-01-01T00:00:00.000Z',
  bootId: 'boot',
  gatewayId: 'gateway',
  requestId,
  ...facts,
});
const authorized = (requestId: string, facts?: Partial<AuditRecord>) => of(requestId, 'request.authorized', facts);
const completed = (requestId: string) => of(requestId, 'request.completed');
const inPieces = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, piece) =>
    Buffer.from(bytes.subarray(piece * size, (piece + 1) * size)),
  );

describe('frames', () => {
  it('come out as they went in, in whatever pieces they come', () => {
    const frame = fc.record({
      kind: fc.constantFrom('none' as const, 'beginning' as const, 'end' as const, 'gateway' as const),
      durability: fc.constantFrom<Durability>('buffered', 'written', 'synced'),
      requestId: fc.string({ unit: 'grapheme', maxLength: 40 }),
      members: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), (sent, size) => {
        const frames = new RecordFrames();
        for (const { kind, durability, requestId, members } of sent) frames.add(kind, durability, requestId, members);
        const came: unknown[] = [];
        const reader = new RecordReader((kind, durability, requestId, members) =>
          came.push({ kind, durability, requestId, members: new Uint8Array(members) }),
        );
        frames.send((bytes) => {
          for (const piece of inPieces(bytes, size)) reader.receive(piece);
          return true;
        });
        expect(came).toEqual(sent);
        expect(frames.length).toBe(0);
      }),
    );
  });

  it('are larger than a chunk where they have to be, and then small again', () => {
    const frames = new RecordFrames();
    const lengths: number[] = [];
    for (const length of [200_000, 10, 100_000]) {
      frames.add('none', 'written', '', new Uint8Array(length));
      frames.send((bytes) => lengths.push(bytes.length) > 0);
    }
    expect(lengths).toEqual([200_008, 18, 100_008]);
  });

  it('of answers come out as they went in', () => {
    const answer = fc.record({
      first: fc.nat(Number.MAX_SAFE_INTEGER),
      count: fc.nat(2 ** 32 - 1),
      reason: fc.constantFrom('', 'write_failed'),
    });
    fc.assert(
      fc.property(fc.array(answer), fc.integer({ min: 1, max: 50 }), (sent, size) => {
        const came: RecordAnswer[] = [];
        const reader = new AnswerReader((one) => came.push(one));
        for (const piece of inPieces(answerBytes(sent), size)) reader.receive(piece);
        expect(came).toEqual(sent);
      }),
    );
  });

  it('that no worker sends are refused', () => {
    const reader = new RecordReader(() => {});
    expect(() => reader.receive(Buffer.alloc(8, 0xff))).toThrow('no record of a worker');
  });
});

/** A journal whose answers a test gives. */
function slowJournal() {
  const waiting: AppendWaiter[] = [];
  const taken: { line: string; durability: Durability }[] = [];
  const journal = {
    appendSerialized: (members: Uint8Array, durability: Durability, waiter: AppendWaiter) => {
      taken.push({ line: Buffer.from(members).toString(), durability });
      waiting.push(waiter);
    },
  } as unknown as Journal;
  return { journal, waiting, taken };
}

/** A lane and its other end, joined as two processes are. */
function joined(journal: Journal) {
  const sent: number[] = [];
  const answers: number[] = [];
  const intake = new RecordIntake(journal, (bytes) => {
    answers.push(bytes.length);
    lane.receive(Buffer.from(bytes));
  });
  const lane: RecordLane = new RecordLane({
    send: (bytes) => {
      sent.push(bytes.length);
      intake.receive(Buffer.from(bytes));
      return true;
    },
  });
  return { lane, intake, sent, answers };
}

const reasonOf = (append: Promise<void>) =>
  append.then(
    () => 'taken',
    ({ code, reason }: CaracalError) => `${code} ${reason}`,
  );
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a lane of records', () => {
  it('sends those of one turn together, what nobody waits for with them, and is answered once for all', async () => {
    const { journal, waiting, taken } = slowJournal();
    const { lane, sent, answers } = joined(journal);
    const appends = [
      lane.append(completed('a'), 'buffered'),
      lane.append(authorized('b'), 'written'),
      lane.append(authorized('c'), 'written'),
    ];
    await turn();
    expect(sent).toHaveLength(1);
    expect(taken.map(({ durability }) => durability)).toEqual(['buffered', 'written', 'written']);
    expect(taken[1]!.line).toContain('"requestId":"b"');
    for (const waiter of waiting) waiter.resolve();
    await Promise.all(appends);
    expect(answers).toHaveLength(1);
  });

  it('sends what nobody waits for after a moment, and all of it before it is settled', async () => {
    const { journal, waiting } = slowJournal();
    const { lane, sent } = joined(journal);
    const first = lane.append(completed('a'), 'buffered');
    await expect.poll(() => sent.length, { timeout: 30_000 }).toBe(1);
    const second = lane.append(completed('b'), 'buffered');
    const settled = lane.settled().then(() => 'settled');
    expect(waiting).toHaveLength(2);
    for (const waiter of waiting) waiter.resolve();
    await Promise.all([first, second]);
    expect(await settled).toBe('settled');
    await lane.settled();
  });

  it('answers each record by itself: nothing counts as written that was not', async () => {
    const { journal, waiting } = slowJournal();
    const { lane } = joined(journal);
    const appends = ['a', 'b', 'c', 'd'].map((id) => reasonOf(lane.append(authorized(id), 'written')));
    let late = false;
    void appends[3]!.then(() => {
      late = true;
    });
    await turn();
    waiting[2]!.resolve();
    waiting[0]!.reject(new CaracalError('audit_unavailable', 'write_failed'));
    waiting[1]!.reject(new Error('secret'));
    expect(await Promise.all(appends.slice(0, 3))).toEqual([
      'audit_unavailable write_failed',
      'audit_unavailable failed',
      'taken',
    ]);
    await turn();
    expect(late).toBe(false);
    waiting[3]!.resolve();
    expect(await appends[3]).toBe('taken');
  });

  it('bounds what waits for an owner that does not answer, and goes on when it does', async () => {
    const { journal, waiting } = slowJournal();
    const { lane } = joined(journal);
    const path = 'x'.repeat(100_000);
    const appends = Array.from({ length: 100 }, (_, index) =>
      reasonOf(lane.append(authorized(`${index}`, { path }), 'written')),
    );
    await turn();
    expect(waiting.length).toBeLessThan(84);
    for (const waiter of waiting) waiter.resolve();
    const settled = await Promise.all(appends);
    expect(settled.filter((reason) => reason === 'taken')).toHaveLength(waiting.length);
    expect(new Set(settled.slice(waiting.length))).toEqual(new Set(['audit_unavailable too_many_waiting']));
    const after = lane.append(authorized('after', { path }), 'written');
    await turn();
    waiting.at(-1)!.resolve();
    await after;
  });

  it('refuses what no line can hold, and no other', async () => {
    const { journal, waiting } = slowJournal();
    const { lane } = joined(journal);
    const large = lane.append(authorized('a', { path: 'x'.repeat(300_000) }), 'written');
    expect(await reasonOf(large)).toBe('audit_unavailable record_too_large');
    const small = lane.append(authorized('b'), 'written');
    await turn();
    waiting[0]!.resolve();
    await small;
  });

  it('refuses everything once the other end is gone', async () => {
    const { journal } = slowJournal();
    const { lane } = joined(journal);
    const waiting = reasonOf(lane.append(authorized('a'), 'written'));
    await turn();
    const settled = lane.settled();
    lane.close();
    await settled;
    expect(await waiting).toBe('audit_unavailable closed');
    expect(await reasonOf(lane.append(authorized('b'), 'written'))).toBe('audit_unavailable closed');
  });
});

describe('requests of a worker that died', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'caracal-lane-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('get an end where they have a beginning and none, each for its own gateway', async () => {
    const journal = await openJournal({ directory: join(directory, 'audit'), onWarning() {} });
    const { lane, intake } = joined(journal);
    await Promise.all([
      lane.append(of(undefined, 'gateway.started'), 'written'),
      lane.append(authorized('a'), 'written'),
      lane.append(authorized('b'), 'written'),
      lane.append(authorized('c', { bootId: 'another boot', gatewayId: 'näxt' }), 'written'),
      lane.append(completed('a'), 'buffered'),
    ]);
    await intake.lost();
    await intake.lost();
    await journal.close();
    const ends: Partial<AuditRecord>[] = [];
    for await (const { record } of journal.query()) if (record.reason === 'worker_died') ends.push(record);
    expect(ends).toMatchObject([
      { requestId: 'b', bootId: 'boot', gatewayId: 'gateway', outcome: 'unknown', type: 'request.completed' },
      { requestId: 'c', bootId: 'another boot', gatewayId: 'näxt', outcome: 'unknown', decision: 'allowed' },
    ]);
    expect(ends).toHaveLength(2);
  });
});
