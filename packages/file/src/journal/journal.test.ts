import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { faultyDisk, record, workspace } from './journal.fixture.js';
import { openJournalReader } from './journal-reader.js';
import type { JournalRecord } from './journal-record.js';
import type { SignedHead } from './signed-head.js';
import { verifyJournal } from './verify-journal.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const ids = (records: readonly JournalRecord[]) => records.map(({ record: { id } }) => id);

describe('journal', () => {
  let space: Awaited<ReturnType<typeof workspace>>;
  beforeEach(async () => {
    space = await workspace();
  });
  afterEach(() => space.end());

  it('keeps what was appended in every durability, in order', async () => {
    const journal = await space.open();
    const appends = [
      journal.append(record(1), 'written'),
      journal.append(record(2), 'synced'),
      journal.append(record(3), 'buffered'),
    ];
    await Promise.all(appends);
    const records = await all(journal.query());
    expect(ids(records)).toEqual(['id-1', 'id-2', 'id-3']);
    expect(records[0]!.record).toEqual(JSON.parse(JSON.stringify(record(1))));
    expect(records.map(({ seq }) => seq)).toEqual([2, 3, 4]);
    expect(JSON.parse(records[0]!.line)).toMatchObject({ seq: 2, hash: records[0]!.hash });
  });

  it('makes one write of what arrives in one turn, and one sync of a group', async () => {
    const disk = faultyDisk();
    const journal = await space.open({ disk });
    const { writes, syncs } = disk;
    await Promise.all(Array.from({ length: 50 }, (_, index) => journal.append(record(index), 'synced')));
    expect(disk.writes - writes).toBe(1);
    expect(disk.syncs - syncs).toBe(1);
  });

  it('keeps files and directory from others', async () => {
    await (await space.open()).close();
    expect((await stat(space.directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(space.directory)) {
      const { mode } = await stat(join(space.directory, name));
      expect(mode & 0o077, name).toBe(0);
    }
  });

  it('has one owner at a time', async () => {
    const journal = await space.open();
    await expect(space.open()).rejects.toThrow('is in use');
    await journal.close();
    await space.open();
  });

  it('refuses records after it was closed, and closes once', async () => {
    const journal = await space.open();
    const written = journal.append(record(1), 'buffered');
    await Promise.all([journal.close(), journal.close()]);
    await written;
    await expect(journal.append(record(2), 'written')).rejects.toMatchObject({
      code: 'audit_unavailable',
      reason: 'closed',
    });
  });

  it('begins a chain at each start that names the last record of the one before', async () => {
    const first = await space.open();
    await first.append(record(1), 'written');
    await first.close();
    const second = await space.open();
    await second.append(record(2), 'written');
    await second.close();
    const entries = await all((await openJournalReader(space.directory)).entries());
    expect(entries.map(({ record: { type } }) => type)).toEqual([
      'chain.started',
      'request.authorized',
      'chain.started',
      'request.authorized',
    ]);
    const { chain, seq, hash } = entries[1]!;
    expect(entries[2]!.record).toMatchObject({ predecessor: { chain, seq, hash } });
    const report = await verifyJournal({ directory: space.directory, publicKey: [first.publicKey, second.publicKey] });
    expect(report).toMatchObject({ ok: true, failure: undefined, records: 4, chains: 2, segments: 2, uncovered: 0 });
  });

  it('reports a torn last record, keeps its bytes and goes on', async () => {
    const first = await space.open();
    await first.append(record(1), 'written');
    await first.close();
    const [segment] = (await readdir(space.directory)).filter((name) => name.endsWith('1.ndjson'));
    await appendFile(join(space.directory, segment!), '{"seq":3,"id":"half a rec');
    expect((await verifyJournal({ directory: space.directory })).tornEnd).toMatchObject({ segment: 1, bytes: 25 });
    const warnings: string[] = [];
    const second = await space.open({ onWarning: ({ code }) => warnings.push(code) });
    await second.append(record(2), 'written');
    await second.close();
    expect(warnings).toContain('torn_tail');
    const report = await verifyJournal({ directory: space.directory, publicKey: second.publicKey });
    expect(report).toMatchObject({ ok: true, tornEnd: undefined, records: 4 });
    expect(report.recoveries).toMatchObject([{ torn: [{ segment: 1, bytes: 25, lines: 0 }] }]);
    await appendFile(join(space.directory, segment!), 'x');
    const changed = await verifyJournal({ directory: space.directory, publicKey: second.publicKey });
    expect(changed.failure).toMatchObject({ reason: 'tail_changed', file: '0000000001.ndjson', line: 3 });
  });

  it('sets whole lines aside that lost power left damaged, and reads past them', async () => {
    const first = await space.open();
    await first.append(record(1), 'written');
    await first.close();
    await appendFile(join(space.directory, '0000000001.ndjson'), '\0\0\0\n{"seq":9}\nrest');
    const second = await space.open();
    await second.append(record(2), 'written');
    expect(ids(await all(second.query()))).toEqual(['id-1', 'id-2']);
    const report = await second.verify({ publicKey: second.publicKey });
    expect(report).toMatchObject({ ok: true, recoveries: [{ torn: [{ segment: 1, lines: 2 }] }] });
    expect(report.notProved.join()).toContain('2 whole lines');
  });

  it('cannot hide changed records as an interrupted write', async () => {
    const first = await space.open();
    await Promise.all([1, 2, 3].map((index) => first.append(record(index), 'written')));
    await first.close();
    const path = join(space.directory, '0000000001.ndjson');
    await writeFile(path, (await readFile(path, 'utf8')).replace('invoices/2', 'invoices/7'));
    const second = await space.open();
    await second.close();
    const { failure } = await second.verify({ publicKey: second.publicKey });
    expect(failure).toMatchObject({ reason: 'records_cut', chain: first.chain, seq: 3 });
  });

  it('does not open on a full disk, and opens when there is room again', async () => {
    const disk = faultyDisk();
    disk.writeFault = 'ENOSPC';
    await expect(space.open({ disk })).rejects.toMatchObject({ code: 'audit_unavailable' });
    await expect(space.open({ disk })).rejects.toMatchObject({ code: 'audit_unavailable' });
    const journal = await space.open();
    await journal.append(record(1), 'written');
    await journal.close();
    expect(await journal.verify({ publicKey: journal.publicKey })).toMatchObject({ ok: true, records: 2, segments: 3 });
    const again = await space.open();
    expect(ids(await all(again.query()))).toEqual(['id-1']);
    expect(await again.verify({ publicKey: again.publicKey })).toMatchObject({ ok: true, records: 3 });
  });

  it('refuses options it does not know, or that are not in order, by name', async () => {
    await expect(space.open({ retention: 1 } as object)).rejects.toThrow('unknown option retention');
    await expect(space.open({ segmentBytes: 10 })).rejects.toThrow('segmentBytes');
    await expect(space.open({ retentionDays: 0 })).rejects.toThrow('retentionDays');
    await expect(space.open({ signingKey: 'no key' })).rejects.toThrow('signingKey');
  });

  it('splits into segments, and verifies and reads across them', async () => {
    const journal = await space.open({ segmentBytes: 64 * 1024 });
    for (let turn = 0; turn < 40; turn++) {
      await Promise.all(Array.from({ length: 25 }, (_, index) => journal.append(record(turn * 25 + index), 'written')));
    }
    await journal.close();
    const report = await verifyJournal({ directory: space.directory, publicKey: journal.publicKey });
    expect(report).toMatchObject({ ok: true, chains: 1, uncovered: 0 });
    expect(report.segments).toBeGreaterThan(2);
    expect(await all(journal.query())).toHaveLength(1000);
  });

  it('removes old segments above its size, records it, and still verifies', async () => {
    const journal = await space.open({ segmentBytes: 64 * 1024, retentionBytes: 128 * 1024 });
    for (let turn = 0; turn < 200; turn++) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => journal.append(record(turn * 10 + index), 'written')));
    }
    await journal.close();
    const report = await verifyJournal({ directory: space.directory, publicKey: journal.publicKey });
    expect(report).toMatchObject({ ok: true, uncovered: 0 });
    expect(report.removedThrough!.seq).toBeGreaterThan(100);
    expect(report.bytes).toBeLessThan(400 * 1024);
    expect(report.notProved.join()).toContain('retention removed');
  });

  it('removes segments by age at a later start', async () => {
    let now = Date.UTC(2026, 0, 1);
    const clock = { now: () => now, monotonic: () => performance.now() };
    const first = await space.open({ clock, retentionDays: 10 });
    await first.append(record(1), 'written');
    await first.close();
    now += 5 * 86_400_000;
    await (await space.open({ clock, retentionDays: 10 })).close();
    now += 11 * 86_400_000;
    const third = await space.open({ clock, retentionDays: 10 });
    await third.close();
    const reader = await openJournalReader(space.directory);
    expect((await all(reader.entries())).map(({ record: { type } }) => type)).toEqual([
      'chain.started',
      'chain.started',
      'retention.applied',
    ]);
    expect(await reader.verify({ publicKey: third.publicKey })).toMatchObject({ ok: true });
  });

  it('signs heads at close with the given key and hands them on', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const taken: SignedHead[] = [];
    const journal = await space.open({ signingKey: privateKey, headSink: (head) => void taken.push(head) });
    await journal.append(record(1), 'written');
    await journal.close();
    expect(createPublicKey(journal.publicKey).equals(publicKey)).toBe(true);
    expect(taken.at(-1)).toMatchObject({ chain: journal.chain, seq: 2 });
    expect(await journal.heads()).toEqual([taken.at(-1)]);
    const report = await journal.verify({ publicKey: journal.publicKey, heads: taken });
    expect(report).toMatchObject({ ok: true, uncovered: 0, uncoveredOutside: 0, notProved: [] });
    expect(await readdir(space.directory)).not.toContain('signing-key.pem');
  });

  it('signs a head a second after something new, and none while there is nothing new', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const taken: SignedHead[] = [];
      let tell = () => {};
      const told = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const journal = await space.open({
        headSink: (head) => {
          taken.push(head);
          tell();
        },
      });
      await journal.append(record(1), 'written');
      vi.advanceTimersByTime(1000);
      await told;
      expect(taken).toMatchObject([{ seq: 2, chain: journal.chain }]);
      vi.advanceTimersByTime(5000);
      await journal.close();
      expect(taken).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('warns of a key that lies beside the records, and uses it again', async () => {
    const warnings: string[] = [];
    const first = await space.open({ onWarning: ({ code }) => warnings.push(code) });
    await first.close();
    const second = await space.open();
    expect(second.publicKey).toBe(first.publicKey);
    expect(warnings).toContain('signing_key_beside');
    expect(await readFile(join(space.directory, 'signing-key.pem'), 'utf8')).toContain('PRIVATE KEY');
  });

  it('shows a follower, in this process and in another, what is written from now on', async () => {
    const journal = await space.open();
    await journal.append(record(1), 'written');
    const reader = await openJournalReader(space.directory);
    for (const source of [journal, reader]) {
      const ending = new AbortController();
      const following = source
        .follow({ signal: ending.signal, filter: { application: 'followed' } })
        [Symbol.asyncIterator]();
      const next = following.next();
      let seen = false;
      void next.then(() => {
        seen = true;
      });
      for (let index = 2; !seen; index++) {
        await journal.append(record(index, { applicationId: index % 2 ? 'other' : 'followed' }), 'written');
      }
      expect((await next).value?.record.applicationId).toBe('followed');
      ending.abort();
      for (let step = await following.next(); !step.done; step = await following.next()) {}
    }
  });

  it('ends its followers when it is closed, after the last record', async () => {
    const journal = await space.open();
    const following = all(journal.follow({ from: 'start' }));
    await journal.append(record(1), 'written');
    await journal.close();
    expect(ids(await following)).toEqual(['id-1']);
  });

  it('reads on behind a record that was seen, across starts', async () => {
    const first = await space.open();
    await Promise.all([1, 2, 3].map((index) => first.append(record(index), 'written')));
    await first.close();
    await (await space.open()).append(record(4), 'written');
    const reader = await openJournalReader(space.directory);
    const entries = await all(reader.entries({ from: { chain: first.chain, seq: 3 } }));
    expect(entries.map(({ record: { id, type } }) => (type === 'chain.started' ? type : id))).toEqual([
      'id-3',
      'chain.started',
      'id-4',
    ]);
  });
});
