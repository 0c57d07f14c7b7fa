// Gigabytes up and down through every adapter in its own runtime, with the memory of its process beside them.
// `node test/soak/bodies.mjs [--gb 5] [--only node-20,bun]`; fails above 64 MB of growth. Figures go to docs/soak.md.
import { parseArgs } from 'node:util';
import { childSubject, createTestIssuer } from '@caracal/testkit';
import { RUNTIMES, subjectCommand } from '../runtimes/runtimes.mjs';
import { bodyUpstream, transfer } from './body-peers.mjs';
import { residentMemory } from './resident-memory.mjs';

const MB = 1e6;
const ALLOWED_GROWTH_MB = 64;
const RESOURCE = 'resource://soak';
const SAMPLE_MS = 100;
const TELL_MS = 5_000;
/** So long without a byte is a failure. */
const STALL_MS = 60_000;

/** So much each way before anything is measured: until then the engine is still making its young generation as large as it wants it. */
const WARM_BYTES = 100 * MB;
/**
 * Deno reads into 64 KiB at a time, whose memory its collector sees only by the small objects in front of it: with the
 * young generation it makes by itself hundreds of megabytes wait to be collected. docs/adapters.md asks for the same.
 */
const DENO_FLAGS = ['--v8-flags=--max-semi-space-size=1'];

// Other versions of Node run the same adapter.
const ADAPTERS = RUNTIMES.filter(({ name }) => !['node-22', 'node-24'].includes(name));

const { values } = parseArgs({ options: { gb: { type: 'string', default: '5' }, only: { type: 'string' } } });
const bytes = Math.round(Number(values.gb) * 1e9);
if (!(bytes > 0)) throw new TypeError('--gb: a number above 0');
const wanted = values.only?.split(',') ?? ADAPTERS.map(({ name }) => name);
const unknown = wanted.find((name) => !ADAPTERS.some((adapter) => adapter.name === name));
if (unknown !== undefined) throw new TypeError(`--only: no ${unknown}; there are ${ADAPTERS.map(({ name }) => name)}`);

const issuer = await createTestIssuer();
const upstream = await bodyUpstream();
const failures = [];
console.log(
  `| adapter | ${bytes / 1e9} GB | seconds | RSS idle | before | highest | growth |\n|---|---|---|---|---|---|---|`,
);
for (const adapter of ADAPTERS.filter(({ name }) => wanted.includes(name))) await through(adapter);
upstream.close();
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;

async function through(adapter) {
  const args = adapter.name.startsWith('deno') ? [...adapter.args, ...DENO_FLAGS] : adapter.args;
  const subject = await childSubject(await subjectCommand({ ...adapter, args }), configuration());
  try {
    await pass(subject, 'up', 1);
    const idle = await residentMemory(subject.pid);
    for (const direction of ['up', 'down']) await pass(subject, direction, WARM_BYTES);
    for (const direction of ['up', 'down']) {
      const { seconds, before, highest } = await watched(adapter.name, subject, direction);
      const growth = highest - before;
      console.log(
        `| ${adapter.name} | ${direction} | ${seconds.toFixed(1)} | ${mb(idle)} | ${mb(before)} | ${mb(highest)} | ${mb(growth)} |`,
      );
      if (growth > ALLOWED_GROWTH_MB * MB) failures.push(`${adapter.name} ${direction}: grew by ${mb(growth)}`);
    }
  } catch (error) {
    failures.push(`${adapter.name}: ${error.stack}\n${subject.output().slice(-2_000)}`);
  } finally {
    await subject.close().catch((error) => failures.push(`${adapter.name}: ${error.message}`));
  }
}

function configuration() {
  return {
    issuers: [{ issuer: issuer.issuer, zone: issuer.zoneId, profile: issuer.profile, jwks: issuer.jwks() }],
    resources: [
      {
        identifier: RESOURCE,
        upstreamUrl: upstream.url,
        allowPrivateNetwork: true,
        maxBodyBytes: 'unlimited',
        provider: { id: 'provider://none', kind: 'none' },
      },
    ],
    durability: 'written',
  };
}

async function pass({ port }, direction, size, onProgress) {
  const mandate = await issuer.mint({ target: [RESOURCE] });
  await transfer({ port, mandate, resource: RESOURCE, direction, bytes: size, onProgress });
}

/** One direction, with the memory of the process looked at all the while. */
async function watched(name, subject, direction) {
  const before = await residentMemory(subject.pid);
  const startedAt = performance.now();
  let highest = before;
  let passed = 0;
  let movedAt = startedAt;
  let toldAt = startedAt;
  let over = false;
  const running = pass(subject, direction, bytes, (now) => {
    passed = now;
    movedAt = performance.now();
  }).finally(() => {
    over = true;
  });
  while (!over) {
    highest = Math.max(highest, await residentMemory(subject.pid));
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, SAMPLE_MS))]);
    const now = performance.now();
    if (now - movedAt > STALL_MS) throw new Error(`${direction}: stopped at ${passed} bytes`);
    if (now - toldAt < TELL_MS) continue;
    toldAt = now;
    console.error(`${name} ${direction}: ${(passed / 1e9).toFixed(1)} GB, ${mb(highest)} at most`);
  }
  await running;
  return { seconds: (performance.now() - startedAt) / 1_000, before, highest };
}

function mb(size) {
  return `${(size / MB).toFixed(0)} MB`;
}
