import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forged, MINT_FORM, writeMandates } from './input.mjs';
import { loadGenerator, loadPaced } from './load/generator.mjs';
import { benchRedis } from './redis-server.mjs';
import { measureRounds } from './rounds.mjs';
import { FLOOD_RATE } from './scenarios.mjs';
import { isHere, start, startUpstream } from './targets.mjs';

/** More than any target here can verify in a second. */
const FRESH_MANDATES_PER_SECOND = 12_000;

/** Starts what a scenario names, measures it, and stops everything. Answers figures by target, see `measureRounds`. */
export async function runScenario(scenario, { input, rounds, seconds }) {
  const running = [];
  try {
    const upstream = await startUpstream(scenario.upstream ?? 'raw');
    running.push(upstream);
    const stores = await startStores(scenario.stores ?? [], running);
    const targets = [];
    for (const name of scenario.targets.filter(isHere)) {
      targets.push(await start(name, { ...input.gateway, ...stores, upstreamUrl: upstream.url }));
      running.push(targets.at(-1));
    }
    const request = { method: 'GET', path: input.path, headers: input.headers, ...scenario.request };
    for (const target of targets) await mustAnswer(target, await askedFor(scenario, target, request));
    const load = await loadOf(scenario, request, input, targets);
    const { leastSeconds = 1, warmUpSeconds } = scenario;
    return await measureRounds(targets, { rounds, seconds: Math.max(seconds, leastSeconds), load, warmUpSeconds });
  } finally {
    // Targets before the stores they use; one that will not end must not keep the others.
    for (const child of running.reverse()) {
      await child.stop().catch((cause) => console.error(`  ${child.name ?? 'a store'} did not stop: ${cause.message}`));
    }
  }
}

/** Servers of the stores that a scenario names: where they are. */
async function startStores(names, running) {
  const urls = {};
  if (names.includes('redis')) {
    const redis = await benchRedis();
    running.push(redis);
    urls.redisUrl = redis.url;
  }
  if (names.includes('postgres')) {
    const { benchPostgres } = await import('./postgres-database.mjs');
    const postgres = await benchPostgres();
    running.push(postgres);
    urls.databaseUrl = postgres.url;
  }
  return urls;
}

async function loadOf({ load = 'steady', connections }, { path, ...request }, { mint }, targets) {
  const { load: generate } = loadGenerator();
  const options = (target, seconds) => ({ ...request, url: target.url + path, connections, seconds });
  if (load === 'steady') return (target, seconds) => generate(options(target, seconds));
  if (load === 'minted') {
    const mintForm = new URLSearchParams(MINT_FORM).toString();
    return (target, seconds) => generate({ ...options(target, seconds), mintForm });
  }
  if (load === 'fresh') {
    return (target, seconds) =>
      withMandates(mint, seconds, async (mandatesFile) => {
        const loaded = await generate({ ...options(target, seconds), mandatesFile });
        // To a relay one mandate is as good as another.
        if (loaded.repeats > 0 && target.name.startsWith('caracal')) throw new Error('the mandates ran out');
        return loaded;
      });
  }
  if (load === 'flood')
    return (target, seconds) =>
      besideFlood(target, () => generate(options(target, seconds)), options(target, seconds), mint());
  const full = await generate(options(targets.at(-1), 3));
  const rate = Math.floor(full.requests / full.seconds / 4);
  return (target, seconds) => loadPaced({ ...options(target, seconds), rate });
}

async function besideFlood({ name }, good, options, mandate) {
  if (!name.includes('flood')) return good();
  const headers = { ...options.headers, Authorization: `Bearer ${forged(mandate)}` };
  const flood = loadPaced({ ...options, headers, rate: FLOOD_RATE });
  const [loaded, flooded] = await Promise.all([good(), flood]);
  const refused = (flooded.status['401'] ?? 0) + (flooded.status['503'] ?? 0);
  if (refused < flooded.requests * 0.99)
    throw new Error(`of the flood, ${JSON.stringify(flooded.status)} were answered`);
  return loaded;
}

// The mandate of this bench is no good where mandates are minted.
async function askedFor({ load }, target, request) {
  if (load !== 'minted') return request;
  const body = new URLSearchParams(MINT_FORM);
  const answer = await fetch(`${target.url}/oauth/2/token`, { method: 'POST', body });
  const { access_token } = await answer.json();
  if (access_token === undefined) throw new Error(`${target.name} minted nothing: ${answer.status}`);
  return { ...request, headers: { ...request.headers, Authorization: `Bearer ${access_token}` } };
}

async function withMandates(mint, seconds, use) {
  const directory = mkdtempSync(join(tmpdir(), 'caracal-bench-'));
  try {
    const file = join(directory, 'mandates');
    writeMandates(file, mint, seconds * FRESH_MANDATES_PER_SECOND);
    return await use(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

// A load generator counts answers and does not read them: one is read here, so that the bench measures what it says.
async function mustAnswer(target, { path, headers, method, bodyBytes = 0 }) {
  const body = bodyBytes > 0 ? 'x'.repeat(1000) : undefined;
  const small = path.replace(/n=\d+/, 'n=1000');
  const response = await fetch(target.url + small, { method, headers, body });
  const text = await response.text();
  const isInvoice = method === 'GET' && !path.includes('n=');
  const expected = isInvoice ? JSON.parse(text).id === '42' : text.length > 0;
  if (response.status !== 200 || !expected) {
    throw new Error(`${target.name} answered ${response.status} ${text.slice(0, 200)}`);
  }
}
