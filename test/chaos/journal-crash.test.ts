import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openJournal, openJournalReader, type VerificationReport } from '@caracal/file';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** `test/soak/journal.mjs` asks for more. */
const KILLS = Number(process.env.CARACAL_JOURNAL_KILLS ?? 8);
const REPORT = process.env.CARACAL_JOURNAL_REPORT;
const RUN_TYPESCRIPT = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./journal-child.ts', import.meta.url));
const MAX_SEEN_BEFORE_KILL = 1500;

interface Run {
  readonly seen: string[];
  readonly publicKey: string;
  /** Bytes of its segment that were on the disk. */
  readonly synced: number;
}

describe('a journal whose process is killed under load', () => {
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'caracal-crash-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  /** Starts the child and kills it once it has named so many records. */
  async function runAndKill(directory: string, durability: string, boot: number, killAfter: number): Promise<Run> {
    const running = spawn(process.execPath, [RUN_TYPESCRIPT, CHILD, directory, durability, String(boot)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const seen: string[] = [];
    let publicKey = '';
    let synced = 0;
    const ended = once(running, 'exit');
    for await (const line of createInterface(running.stdout)) {
      const [word, value = ''] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
      if (word === 'seen') seen.push(value);
      else if (word === 'synced') synced = Number(value);
      else if (word === 'key') publicKey = value.replaceAll('|', '\n');
      if (seen.length >= killAfter) running.kill('SIGKILL');
    }
    expect(await ended).toEqual([null, 'SIGKILL']);
    return { seen, publicKey, synced };
  }

  /** Power fails: what was not synced is gone, or is there in part. */
  async function losePower(directory: string, synced: number): Promise<void> {
    const segments = (await readdir(directory)).filter((name) => /^\d+\.ndjson$/.test(name)).sort();
    const last = join(directory, segments.at(-1)!);
    const { size } = await stat(last);
    await truncate(last, synced + Math.floor(Math.random() * (size - synced + 1)));
  }

  async function judge(directory: string, runs: readonly Run[]): Promise<VerificationReport> {
    await (await openJournal({ directory, onWarning() {} })).close();
    const reader = await openJournalReader(directory);
    const report = await reader.verify({ publicKey: runs.at(-1)!.publicKey });
    expect(report.failure).toBeUndefined();
    const kept = new Set<string>();
    for await (const { record } of reader.query()) kept.add(record.id);
    expect(runs.flatMap(({ seen }) => seen).filter((id) => !kept.has(id))).toEqual([]);
    expect(report.chains).toBe(runs.length + 1);
    return report;
  }

  it.each(['written', 'synced'])(
    'has every record that was accepted as %s, verifies, and reports every torn record',
    async (durability) => {
      const directory = join(root, durability);
      const runs: Run[] = [];
      for (let boot = 0; boot < KILLS; boot++) {
        const run = await runAndKill(directory, durability, boot, Math.ceil(Math.random() * MAX_SEEN_BEFORE_KILL));
        runs.push(run);
        if (durability === 'synced') await losePower(directory, run.synced);
      }
      const report = await judge(directory, runs);
      const torn = report.recoveries.flatMap((recovery) => recovery.torn);
      expect(torn.length).toBeLessThanOrEqual(KILLS);
      for (const { lines } of torn) expect(lines).toBe(0);
      if (REPORT !== undefined) {
        const seen = runs.reduce((sum, run) => sum + run.seen.length, 0);
        const row = { durability, kills: KILLS, seen, records: report.records, torn: torn.length };
        await writeFile(REPORT, `${JSON.stringify(row)}\n`, { flag: 'a' });
      }
    },
    KILLS * 5000,
  );
});
