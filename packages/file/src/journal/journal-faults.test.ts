import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultyDisk, faultyDisk, record, workspace } from './journal.fixture.js';
import type { Journal } from './journal.js';
import { verifyJournal } from './verify-journal.js';

const UNAVAILABLE = { code: 'audit_unavailable' };

describe('journal on a failing disk', () => {
  let space: Awaited<ReturnType<typeof workspace>>;
  let disk: FaultyDisk;
  let journal: Journal;
  let warnings: string[];

  beforeEach(async () => {
    space = await workspace();
    disk = faultyDisk();
    warnings = [];
    journal = await space.open({ disk, maxPendingBytes: 64 * 1024, onWarning: ({ code }) => warnings.push(code) });
    warnings.length = 0;
  });
  afterEach(() => space.end());

  async function kept(): Promise<string[]> {
    const found: string[] = [];
    for await (const { record: kept } of journal.query()) found.push(kept.id);
    return found;
  }

  async function expectVerified(): Promise<void> {
    await journal.close();
    const report = await verifyJournal({ directory: space.directory, publicKey: journal.publicKey });
    expect(report).toMatchObject({ ok: true, tornEnd: undefined, uncovered: 0 });
  }

  it.each(['ENOSPC', 'EROFS', 'EIO'])(
    'refuses records while writes fail with %s, and recovers by itself',
    async (code) => {
      await journal.append(record(1), 'written');
      disk.writeFault = code;
      await expect(journal.append(record(2), 'written')).rejects.toMatchObject({
        ...UNAVAILABLE,
        reason: 'write_failed',
      });
      await expect(journal.append(record(3), 'synced')).rejects.toMatchObject(UNAVAILABLE);
      disk.writeFault = undefined;
      await journal.append(record(4), 'written');
      expect(await kept()).toEqual(['id-1', 'id-4']);
      expect(warnings).toEqual(['write_failed', 'recovered']);
      await expectVerified();
    },
  );

  it('keeps the whole lines of a write that ran out of room, and cuts the half one off', async () => {
    disk.room = 1000;
    const appends = [1, 2, 3, 4].map((index) => journal.append(record(index), 'written'));
    const settled = await Promise.allSettled(appends);
    const accepted = settled.flatMap(({ status }, index) => (status === 'fulfilled' ? [`id-${index + 1}`] : []));
    expect(accepted.length).toBeGreaterThan(0);
    expect(accepted.length).toBeLessThan(4);
    disk.room = Number.POSITIVE_INFINITY;
    await journal.append(record(5), 'written');
    expect(await kept()).toEqual([...accepted, 'id-5']);
    await expectVerified();
  });

  it('goes on where a write took fewer bytes than given', async () => {
    disk.chunk = 7;
    await Promise.all([1, 2, 3].map((index) => journal.append(record(index), 'written')));
    expect(await kept()).toEqual(['id-1', 'id-2', 'id-3']);
    await expectVerified();
  });

  it('refuses what does not fit behind a slow disk, and what fits is written in the end', async () => {
    let release = () => {};
    disk.gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const appends = Array.from({ length: 500 }, (_, index) => journal.append(record(index), 'written'));
    const refused = await Promise.race(appends.map((append) => append.catch((fault: unknown) => fault)));
    expect(refused).toMatchObject({ ...UNAVAILABLE, reason: 'journal_full' });
    release();
    const settled = await Promise.allSettled(appends);
    expect(await kept()).toHaveLength(settled.filter(({ status }) => status === 'fulfilled').length);
    await expectVerified();
  });

  it('keeps buffered records through a full disk', async () => {
    disk.writeFault = 'ENOSPC';
    const buffered = journal.append(record(1), 'buffered');
    await expect(journal.append(record(2), 'written')).rejects.toMatchObject(UNAVAILABLE);
    disk.writeFault = undefined;
    await buffered;
    expect(await kept()).toEqual(['id-1']);
    await expectVerified();
  });

  it('refuses synced records whose sync fails, and writes their bytes again before the next sync counts', async () => {
    disk.syncFault = 'EIO';
    await expect(journal.append(record(1), 'synced')).rejects.toMatchObject({ ...UNAVAILABLE, reason: 'sync_failed' });
    disk.syncFault = undefined;
    const { writes } = disk;
    await journal.append(record(2), 'synced');
    expect(disk.writes - writes).toBe(2);
    expect(warnings).toEqual(['sync_failed', 'recovered']);
    await expectVerified();
  });

  it('refuses a record that is too large for a line, and no other', async () => {
    await expect(journal.append(record(1, { path: 'x'.repeat(200_000) }), 'written')).rejects.toMatchObject(
      UNAVAILABLE,
    );
    await journal.append(record(2), 'written');
    await expectVerified();
  });
});
