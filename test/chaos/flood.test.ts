import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Journal, openJournal } from '@caracal/file';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeWorld } from '../gateway/fake-world.js';

const FLOODS = 20_000;
const BATCH = 200;

let directory = '';
let journal: Journal;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-flood-'));
  journal = await openJournal({ directory: join(directory, 'audit'), onWarning: () => {} });
});

afterEach(async () => {
  await journal.close();
  await rm(directory, { recursive: true });
});

describe('a flood of requests without a mandate', () => {
  it('costs good traffic no record and no refusal, is counted exactly, and takes little disk', async () => {
    const world = await fakeWorld({}, { audit: { sink: journal, durability: 'written' } });
    const mandate = await world.mint();
    const startedAt = performance.now();
    const good: ReturnType<typeof world.send>[] = [];
    for (let sent = 0; sent < FLOODS; sent += BATCH) {
      for (let index = 0; index < BATCH; index++) await world.gateway.admit(world.head(undefined));
      good.push(world.send(world.head(mandate)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answers = await Promise.all(good);
    const seconds = Math.ceil((performance.now() - startedAt) / 1000);
    await world.gateway.close();
    await journal.close();

    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    let authorized = 0;
    let completed = 0;
    let refusals = 0;
    let refusalRecords = 0;
    for await (const { record } of journal.query()) {
      if (record.type === 'request.authorized') authorized += 1;
      if (record.type === 'request.completed') completed += 1;
      if (record.type !== 'request.denied') continue;
      refusals += record.count ?? 1;
      refusalRecords += 1;
    }
    expect([authorized, completed]).toEqual([good.length, good.length]);
    expect(refusals).toBe(FLOODS);
    // A hundred by themselves and one with a count for each second that was begun.
    expect(refusalRecords).toBeLessThanOrEqual(101 * (seconds + 1));
    const files = await readdir(join(directory, 'audit'), { withFileTypes: true });
    const sizes = files
      .filter((file) => file.isFile())
      .map(async ({ name }) => (await stat(join(directory, 'audit', name))).size);
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(1_000_000 + seconds * 200_000);
    expect((await journal.verify()).failure).toBeUndefined();
  });
});
