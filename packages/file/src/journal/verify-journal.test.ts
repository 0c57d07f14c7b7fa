import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { record, workspace } from './journal.fixture.js';
import type { SignedHead } from './signed-head.js';
import { verifyJournal } from './verify-journal.js';

interface Damage {
  readonly lines: Buffer[];
  /** Index of the first line that is no longer what was written there. */
  readonly first: number;
}

const LINE_FEED = Buffer.from('\n');

describe('verifyJournal', () => {
  let space: Awaited<ReturnType<typeof workspace>>;
  let root: string;
  let publicKey: string;
  let names: string[];
  let segments: Buffer[];
  const outside: SignedHead[] = [];

  beforeAll(async () => {
    space = await workspace();
    root = await mkdtemp(join(tmpdir(), 'caracal-verify-'));
    const { privateKey: signingKey } = generateKeyPairSync('ed25519');
    for (const start of [0, 1, 2]) {
      const journal = await space.open({ signingKey, headSink: (head) => void outside.push(head) });
      publicKey = journal.publicKey;
      await Promise.all([1, 2, 3, 4, 5].map((index) => journal.append(record(start * 10 + index), 'written')));
      await journal.close();
    }
    names = (await readdir(space.directory)).filter((name) => /^\d+\.ndjson$/.test(name)).sort();
    segments = await Promise.all(names.map((name) => readFile(join(space.directory, name))));
  });
  afterAll(async () => {
    await space.end();
    await rm(root, { recursive: true, force: true });
  });

  async function copy(): Promise<string> {
    const directory = await mkdtemp(join(root, 'copy-'));
    await cp(space.directory, directory, { recursive: true, filter: (source) => !source.endsWith('lock') });
    return directory;
  }

  function linesOf(index: number): Buffer[] {
    const lines: Buffer[] = [];
    const bytes = segments[index]!;
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(LINE_FEED, start) + 1;
      lines.push(bytes.subarray(start, end));
      start = end;
    }
    return lines;
  }

  it('finds the journal in order', async () => {
    const report = await verifyJournal({ directory: space.directory, publicKey, heads: outside });
    expect(report).toMatchObject({ ok: true, records: 18, chains: 3, segments: 3, uncovered: 0, uncoveredOutside: 0 });
  });

  it('says what it cannot prove without a key and without heads from elsewhere', async () => {
    const bare = await verifyJournal({ directory: space.directory });
    expect(bare.ok).toBe(true);
    expect(bare.notProved.join('\n')).toMatch(/who wrote[\s\S]*cut off/);
    const withKey = await verifyJournal({ directory: space.directory, publicKey });
    expect(withKey.notProved).toEqual([expect.stringContaining('cut off')]);
  });

  const damages: Record<string, (lines: Buffer[], at: number, extra: number) => Damage | undefined> = {
    'a flipped byte': (lines, at, extra) => {
      const line = Buffer.from(lines[at]!);
      const index = extra % line.length;
      line[index] = line[index]! ^ (1 + (extra % 255));
      return { lines: lines.with(at, line), first: at };
    },
    'a dropped record': (lines, at) => ({ lines: lines.toSpliced(at, 1), first: at }),
    'a duplicated record': (lines, at) => ({ lines: lines.toSpliced(at, 0, lines[at]!), first: at + 1 }),
    'two records that changed places': (lines, at, extra) => {
      const other = extra % lines.length;
      if (other === at) return undefined;
      return { lines: lines.with(at, lines[other]!).with(other, lines[at]!), first: Math.min(at, other) };
    },
    'an inserted line': (lines, at) => ({ lines: lines.toSpliced(at, 0, Buffer.from('{"seq":1}\n')), first: at }),
    'records cut off': (lines, at) => ({ lines: lines.slice(0, at), first: at }),
    'a record cut short': (lines, at, extra) => ({
      lines: [...lines.slice(0, at), lines[at]!.subarray(0, extra % lines[at]!.length)],
      first: at,
    }),
  };

  it.each(Object.keys(damages))('fails at the first bad record: %s', async (name) => {
    const directory = await copy();
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.nat(5), fc.nat(100_000), async (segment, at, extra) => {
        const lines = linesOf(segment);
        const damage = damages[name]!(lines, at, extra);
        if (damage === undefined) return;
        await writeFile(join(directory, names[segment]!), Buffer.concat(damage.lines));
        const { ok, failure } = await verifyJournal({ directory, publicKey });
        await writeFile(join(directory, names[segment]!), segments[segment]!);
        expect(ok).toBe(false);
        const inside = { file: names[segment], line: damage.first + 1 };
        const next = { file: names[segment + 1], line: 1 };
        // What is missing at a segment's end is found by what should have followed: the next segment, or a head.
        const missing = { reason: damage.first === 0 ? 'chain_missing' : 'records_cut', seq: damage.first + 1 };
        const found = [inside, next, missing].some((place) =>
          Object.entries(place).every(([key, value]) => failure?.[key as 'seq'] === value),
        );
        expect(found, JSON.stringify(failure)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('fails for any flipped byte of the heads', async () => {
    const directory = await copy();
    const path = join(directory, 'heads.ndjson');
    const bytes = await readFile(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }), async (index, change) => {
        await writeFile(path, bytes.with(index, bytes[index]! ^ change));
        expect((await verifyJournal({ directory, publicKey })).ok).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('finds a missing segment, in the middle and at the beginning', async () => {
    const directory = await copy();
    await rm(join(directory, names[1]!));
    expect((await verifyJournal({ directory })).failure).toMatchObject({ reason: 'segment_missing', file: names[1] });
    await rm(join(directory, names[0]!));
    const { failure } = await verifyJournal({ directory });
    expect(failure).toMatchObject({ reason: 'removed_without_record', file: names[2], line: 1 });
  });

  it('finds a cut of records and heads together by heads from elsewhere only', async () => {
    const directory = await copy();
    await rm(join(directory, names[2]!));
    await truncate(join(directory, names[1]!), segments[1]!.length - linesOf(1).at(-1)!.length);
    await rm(join(directory, 'heads.ndjson'));
    const alone = await verifyJournal({ directory, publicKey });
    expect(alone).toMatchObject({ ok: true, records: 11, uncovered: 11 });
    expect(alone.notProved.join()).toContain('cut off');
    const { failure } = await verifyJournal({ directory, publicKey, heads: outside });
    expect(failure).toMatchObject({ reason: 'records_cut', seq: 6 });
  });

  it('finds that a whole chain is hidden, by heads from elsewhere', async () => {
    const directory = await copy();
    await rm(join(directory, names[2]!));
    await rm(join(directory, 'heads.ndjson'));
    const { failure } = await verifyJournal({ directory, publicKey, heads: outside });
    expect(failure).toMatchObject({ reason: 'chain_missing' });
  });

  it('does not take heads of another key', async () => {
    const other = generateKeyPairSync('ed25519').publicKey;
    const { failure } = await verifyJournal({ directory: space.directory, publicKey: other });
    expect(failure).toMatchObject({ reason: 'head_invalid' });
    await expect(verifyJournal({ directory: space.directory, publicKey: 'no key' })).rejects.toThrow(TypeError);
  });
});
