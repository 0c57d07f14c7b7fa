// The journal's promises in figures, as a Markdown table: `node test/soak/journal.mjs` after a build. `--quick`: fewer.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openJournal, openJournalReader, verifyJournal } from '../../packages/file/dist/index.js';

const quick = process.argv.includes('--quick');
const RECORDS = quick ? 100_000 : 1_000_000;
const KILLS = quick ? 5 : 50;
const root = await mkdtemp(join(tmpdir(), 'caracal-journal-soak-'));
const ROUNDS = quick ? 1 : 5;
const rows = [];

try {
  await crash();
  await latency('written', 10_000);
  await latency('synced', 10_000);
  await latency('buffered', 10_000);
  await latency('written', 1000);
  await followed();
  await million();
} finally {
  await rm(root, { recursive: true, force: true });
}
console.log('| what | figure |\n|---|---|');
for (const [what, figure] of rows) console.log(`| ${what} | ${figure} |`);

// One literal and one shape, as the gateway's recorder makes them: its cost is not what is measured here.
function record(index, type = 'request.authorized') {
  const whole = type === 'request.authorized';
  return {
    id: `0192f0c1-0000-7000-9000-${String(index).padStart(12, '0')}`,
    type,
    time: new Date().toISOString(),
    bootId: '0192f0c1-1111-7000-8000-000000000000',
    gatewayId: 'gateway',
    requestId: `0192f0c1-0000-7000-8000-${String(index >> 1).padStart(12, '0')}`,
    traceId: whole ? '4bf92f3577b34da6a3ce929d0e0e4736' : undefined,
    peer: whole ? '192.0.2.17' : undefined,
    zoneId: whole ? 'default' : undefined,
    issuer: whole ? 'https://id.example' : undefined,
    applicationId: whole ? `agent-${index % 50}` : undefined,
    subject: whole ? 'user-17' : undefined,
    subjectType: whole ? 'user' : undefined,
    sessionId: whole ? '0192f0c1-2222-7000-8000-000000000000' : undefined,
    jti: whole ? `jti-${index}` : undefined,
    resource: whole ? 'resource://billing-api' : undefined,
    operation: whole ? { method: 'GET', template: '/v1/invoices/{id}', name: undefined } : undefined,
    path: whole ? `/v1/invoices/${index}` : undefined,
    decision: 'allowed',
    provider: whole ? { id: 'provider://billing', kind: 'api_key', connection: undefined } : undefined,
    upstream: { host: 'billing.example', status: whole ? undefined : 200 },
    status: whole ? undefined : 200,
    requestBytes: whole ? undefined : 0,
    responseBytes: whole ? undefined : 1234,
    durationMs: whole ? undefined : 12.345,
    firstByteMs: whole ? undefined : 11.2,
    attempts: whole ? undefined : 1,
    outcome: whole ? undefined : 'executed',
  };
}

function typeOf(index) {
  return index % 2 === 0 ? 'request.authorized' : 'request.completed';
}

async function crash() {
  const report = join(root, 'crashes.ndjson');
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const env = { ...process.env, CARACAL_JOURNAL_KILLS: String(KILLS), CARACAL_JOURNAL_REPORT: report };
  const run = spawnSync(process.execPath, [vitest, 'run', 'test/chaos/journal-crash.test.ts'], {
    cwd,
    env,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  for (const line of (await readFile(report, 'utf8')).trim().split('\n')) {
    const { durability, kills, seen, records, torn } = JSON.parse(line);
    rows.push([
      `${kills} kills under load, \`${durability}\``,
      `${seen} accepted, none missing of ${records} verified; ${torn} torn, all reported`,
    ]);
  }
}

/** Appends at a steady rate, as requests come in: several a turn of the event loop. Medians of several rounds. */
async function latency(durability, perSecond) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await latencyRound(durability, perSecond, round));
  const median = (part) =>
    `${rounds
      .map((waits) => waits[Math.floor(waits.length * part)])
      .sort((a, b) => a - b)
      [ROUNDS >> 1].toFixed(3)} ms`;
  rows.push([
    `\`${durability}\` at ${perSecond} records/s: p50, p99, p99.9`,
    `${median(0.5)}, ${median(0.99)}, ${median(0.999)}`,
  ]);
}

async function latencyRound(durability, perSecond, round) {
  const directory = join(root, `${durability}-${perSecond}-${round}`);
  const journal = await openJournal({ directory, onWarning() {} });
  const waits = [];
  const total = perSecond * 3;
  const startedAt = performance.now();
  for (let sent = 0; waits.length < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1000));
    for (; sent < due; sent++) {
      const at = performance.now();
      void journal.append(record(sent, typeOf(sent)), durability).then(() => waits.push(performance.now() - at));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await journal.close();
  await rm(directory, { recursive: true });
  return waits.sort((a, b) => a - b);
}

async function followed() {
  const directory = join(root, 'followed');
  const journal = await openJournal({ directory, onWarning() {} });
  for (const [who, source] of [
    ['same process', journal],
    ['reader', await openJournalReader(directory)],
  ]) {
    const ending = new AbortController();
    const waits = [];
    const sent = new Map();
    const following = (async () => {
      for await (const { record: seen } of source.follow({ signal: ending.signal })) {
        const at = sent.get(seen.id);
        if (at !== undefined) waits.push(performance.now() - at);
        if (waits.length === 1000) ending.abort();
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (let index = 0; index < 1000; index++) {
      const one = record(index);
      sent.set(one.id, performance.now());
      await journal.append(one, 'written');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await following;
    waits.sort((a, b) => a - b);
    rows.push([
      `a follower (${who}) sees a record: p50, p99`,
      `${waits[500].toFixed(2)} ms, ${waits[990].toFixed(2)} ms`,
    ]);
  }
  await journal.close();
}

async function million() {
  const directory = join(root, 'million');
  const journal = await openJournal({ directory, onWarning() {} });
  const cpu = process.cpuUsage();
  let startedAt = performance.now();
  for (let index = 0; index < RECORDS; ) {
    const group = [];
    for (let count = 0; count < 200 && index < RECORDS; count++, index++)
      group.push(journal.append(record(index, typeOf(index)), 'written'));
    await Promise.all(group);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await journal.close();
  let bytes = 0;
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name))).size;
  const perSecond = Math.round(RECORDS / seconds).toLocaleString('en');
  const micros = ((user + system) / RECORDS).toFixed(1);
  rows.push([
    `${RECORDS.toLocaleString('en')} records appended and chained`,
    `${perSecond}/s, ${micros} µs CPU a record, ${Math.round(bytes / RECORDS)} bytes a record`,
  ]);
  startedAt = performance.now();
  const report = await verifyJournal({ directory, publicKey: journal.publicKey });
  if (!report.ok || report.uncovered > 0) throw new Error(JSON.stringify(report));
  rows.push(['verified', `${((performance.now() - startedAt) / 1000).toFixed(1)} s`]);
  const filters = {
    'filtered by application': { application: 'agent-8' },
    'filtered by time': { since: '2100-01-01' },
    'filtered by outcome, nothing found': { outcome: 'timeout' },
  };
  for (const [what, filter] of Object.entries(filters)) {
    startedAt = performance.now();
    let found = 0;
    for await (const _ of journal.query(filter)) found++;
    rows.push([what, `${((performance.now() - startedAt) / 1000).toFixed(1)} s (${found.toLocaleString('en')} found)`]);
  }
  startedAt = performance.now();
  await journal.trace(record(RECORDS - 2).requestId);
  rows.push(['one request traced', `${((performance.now() - startedAt) / 1000).toFixed(1)} s`]);
  startedAt = performance.now();
  await (await openJournal({ directory, onWarning() {} })).close();
  rows.push(['opened again', `${((performance.now() - startedAt) / 1000).toFixed(2)} s`]);
}
