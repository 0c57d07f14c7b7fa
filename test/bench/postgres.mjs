// What shipping evidence to PostgreSQL costs a gateway, and whether it keeps up: node test/bench/postgres.mjs after a build.
// `--seconds 600` (of the steady part), `--rate 3000` (requests a second), `--rounds 5`, `--round-seconds 5`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { migrate } from '@caracal/postgres';
import pg from 'pg';
import { postgresUrl, startPostgres, stopPostgres } from '../servers/postgres-server.mjs';
import { benchInput } from './input.mjs';
import { loadGenerator, loadPaced } from './load/generator.mjs';
import { startUpstream } from './targets.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '3000' },
    rounds: { type: 'string', default: '5' },
    'round-seconds': { type: 'string', default: '5' },
  },
});
const seconds = Number(values.seconds);
const rate = Number(values.rate);
const DRAIN_MS = 120_000;

const postgres = await startPostgres({ durable: true, settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
const pool = new pg.Pool({ connectionString: postgresUrl(postgres) });
const children = [];
let upstream;
try {
  await migrate(pool);
  upstream = await startUpstream('raw');
  const { gateway, headers, path } = benchInput();
  const start = (name, databaseUrl) => startGateway({ ...gateway, upstreamUrl: upstream.url, name, databaseUrl });
  const alone = await start('journal alone');
  const again = await start('journal alone, again');
  const shipping = await start('journal and PostgreSQL', postgresUrl(postgres));

  console.log(
    '| gateway | requests/s, median of rounds | CPU of its process, µs a request | records made, shipped under load, a second |\n|---|---|---|---|',
  );
  const measured = await interleaved([alone, again, shipping], { headers, path });
  const base = measured[0].rps;
  for (const { name, rps, cpuMicros, made, shipped } of measured) {
    const change = (((rps - base) / base) * 100).toFixed(1);
    console.log(
      `| ${name} | ${rps.toFixed(0)} (${change} %) | ${cpuMicros.toFixed(0)} | ${made.toFixed(0)}, ${shipped.toFixed(0)} |`,
    );
  }

  const steady = await steadily(shipping, { headers, path });
  console.log(`\n| ${seconds} s at ${rate} requests/s | |\n|---|---|`);
  for (const [what, figure] of Object.entries(steady)) console.log(`| ${what} | ${figure} |`);
} finally {
  for (const child of children) child.disconnect(); // each then removes its journal
  await upstream?.stop();
  await pool.end();
  await stopPostgres(postgres);
}

async function startGateway(config) {
  const child = fork(fileURLToPath(new URL('proxies/audited.mjs', import.meta.url)), [JSON.stringify(config)]);
  children.push(child);
  const [{ port }] = await once(child, 'message');
  const ask = async (what) => {
    child.send(what);
    return (await once(child, 'message'))[0];
  };
  return { name: config.name, url: `http://127.0.0.1:${port}`, ask };
}

/** Rounds of one after the other, so that what changes on the machine meets all of them. */
async function interleaved(gateways, { headers, path }) {
  const { load } = loadGenerator();
  const rounds = new Map(gateways.map(({ name }) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { name, url, ask } of gateways) {
      const before = (await ask('usage')).cpuMicros;
      const recordsBefore = await ask('records');
      const result = await load({
        url: url + path,
        headers,
        connections: 32,
        seconds: Number(values['round-seconds']),
      });
      if (result.failures > 0) throw new Error(`${name}: ${result.failures} failures`);
      const records = await ask('records');
      const made = (records.appended - recordsBefore.appended) / result.seconds;
      // Shipping yields to requests: what it has put off is part of what its throughput means.
      const shipped = ((records.shipped ?? 0) - (recordsBefore.shipped ?? 0)) / result.seconds;
      // What it still has to ship belongs to what it was asked for.
      await drained(ask);
      const cpuMicros = ((await ask('usage')).cpuMicros - before) / result.requests;
      rounds.get(name).push({ rps: result.requests / result.seconds, cpuMicros, made, shipped });
    }
  }
  return [...rounds].map(([name, all]) => ({
    name,
    rps: median(all.map(({ rps }) => rps)),
    cpuMicros: median(all.map(({ cpuMicros }) => cpuMicros)),
    made: median(all.map(({ made }) => made)),
    shipped: median(all.map(({ shipped }) => shipped)),
  }));
}

async function steadily({ url, ask }, { headers, path }) {
  const counted = async () => Number((await pool.query('SELECT count(*) FROM caracal.audit_entries')).rows[0].count);
  const entriesBefore = await counted();
  const before = await ask('records');
  const backlogs = [];
  let loading = true;
  const load = loadPaced({ url: url + path, headers, connections: 32, seconds, rate }).finally(() => {
    loading = false;
  });
  while (loading) {
    await pause(1000);
    const { appended, shipped } = await ask('records');
    backlogs.push(appended - before.appended - (shipped - before.shipped));
  }
  const result = await load;
  const endedAt = performance.now();
  await drained(ask);
  const after = await ask('records');
  const quarter = Math.max(1, Math.floor(backlogs.length / 4));
  return {
    'requests answered': `${result.requests} (${(result.requests / result.seconds).toFixed(0)}/s), ${JSON.stringify(result.status)}, ${result.failures} failures`,
    'p50, p99 of a request': `${result.p50Ms.toFixed(2)} ms, ${result.p99Ms.toFixed(2)} ms`,
    'records appended': after.appended - before.appended,
    'entries in PostgreSQL': (await counted()) - entriesBefore,
    'backlog, median of the first quarter': median(backlogs.slice(0, quarter)),
    'backlog, median of the last quarter': median(backlogs.slice(-quarter)),
    'highest backlog': Math.max(...backlogs),
    'shipped after the end': `${((performance.now() - endedAt) / 1000).toFixed(1)} s`,
  };
}

async function drained(ask) {
  const startedAt = performance.now();
  for (;;) {
    const { appended, shipped, shippedThrough } = await ask('records');
    // The journal's own lines are shipped too, so what is shipped may be more.
    if (shipped === undefined || (shipped >= appended && shippedThrough !== undefined)) return;
    if (performance.now() - startedAt > DRAIN_MS) throw new Error(`${appended - shipped} entries behind`);
    await pause(50);
  }
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
