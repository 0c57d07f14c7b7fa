// PostgreSQL away for a minute under load, three ways to go: `node test/soak/postgres.mjs [--seconds 60]`, as a Markdown table.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const directory = await mkdtemp(join(tmpdir(), 'caracal-postgres-soak-'));
const report = join(directory, 'report.ndjson');
try {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const run = spawnSync(process.execPath, [vitest, 'run', '--project', 'suites', 'test/chaos/postgres.test.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: {
      ...process.env,
      CARACAL_POSTGRES_AWAY_MS: String(Number(values.seconds) * 1000),
      CARACAL_POSTGRES_REPORT: report,
    },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  console.log(
    '| PostgreSQL | away | requests, all 200 | of them meanwhile | entries, each there once |\n|---|---|---|---|---|',
  );
  for (const line of (await readFile(report, 'utf8')).trim().split('\n')) {
    const { way, awayMs, requests, meanwhile, entries } = JSON.parse(line);
    console.log(`| ${way} | ${awayMs / 1000} s | ${requests} | ${meanwhile} | ${entries} |`);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
