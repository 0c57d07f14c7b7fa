import { BASELINE, CONTROL } from './targets.mjs';

const RELAYS = [BASELINE, CONTROL];
const PLAIN_PROXIES = ['httpxy', 'http-proxy-3', 'fastify-http-proxy'];
const KIB = 1024;
const MIB = 1024 * KIB;

/** Forged mandates a second that come beside good traffic. */
export const FLOOD_RATE = 5_000;

/** Of a target, as a ratio of the baseline's figure in the same round: `most` it may be, or `least`. */
const cpu = (target, most) => ({ target, figure: 'cpuMicros', most });

/**
 * What is measured. `load` is one of `steady` (as fast as the answers come), `fresh` (the same, a new mandate each request),
 * `flood` (steady; the target of that name gets forged mandates beside it) and `quarter` (a quarter of what the last target can
 * carry, at a steady pace), `minted` (steady, each request with a mandate that was minted for it over HTTP just before); `stores` are
 * started for the scenario, and its targets are told where; `request` changes the one of input.mjs. `claims` are limits on ratios, with
 * twice the control's spread as slack; `beyond` divides by what another target takes of another. `baseline` and `control` are the
 * relays where nothing else is said; `rounds` is how many there are unless told, `leastSeconds` how long a round has to be for enough
 * requests, `warmUpSeconds` how long each target is used before the first.
 */
export const SCENARIOS = [
  {
    name: 'cached',
    title: 'A mandate seen before',
    text: '1 kB of JSON, 64 connections; evidence in a journal on disk but in the row that says memory.',
    targets: [
      ...RELAYS,
      'caracal, memory',
      'caracal, buffered',
      'caracal, written',
      'caracal, synced',
      ...PLAIN_PROXIES,
      'nginx',
    ],
    connections: 64,
    rounds: 7,
    claims: [
      cpu('caracal, buffered', 1.5),
      cpu('caracal, written', 1.7),
      ...PLAIN_PROXIES.map((other) => ({
        target: 'caracal, written',
        figure: 'requestsPerSecond',
        of: other,
        least: 1.5,
      })),
      { target: 'caracal, written', figure: 'requestsPerSecond', of: 'nginx', least: 0.5 },
    ],
  },
  {
    name: 'fresh',
    title: 'A new mandate for each request',
    text: 'Each is verified (ES256), none is in the cache.',
    targets: [...RELAYS, 'caracal, written'],
    load: 'fresh',
    connections: 64,
  },
  {
    name: 'resources',
    title: 'Many resources',
    targets: [...RELAYS, 'caracal, written', 'caracal, 100 resources', 'caracal, 10,000 resources'],
    connections: 64,
    claims: [{ target: 'caracal, 10,000 resources', figure: 'cpuMicros', of: 'caracal, written', most: 1.1 }],
  },
  { name: 'one-connection', title: 'One connection', targets: [...RELAYS, 'caracal, written'], connections: 1 },
  {
    name: 'thousand-connections',
    title: '1,000 connections',
    targets: [...RELAYS, 'caracal, written'],
    connections: 1000,
  },
  {
    name: 'telemetry',
    title: 'OpenTelemetry SDK on',
    text:
      'Two spans and their durations for each request; the exporter drops them. The relay with the same is the least this can cost: the spans and ' +
      'measurements that the HTTP semantic conventions require, and nothing that has to be found out for them.',
    targets: [...RELAYS, 'relay, OpenTelemetry', 'caracal, written', 'caracal, OpenTelemetry'],
    connections: 64,
    claims: [
      { target: 'relay, OpenTelemetry', figure: 'cpuMicros', most: 1.25 },
      { target: 'caracal, OpenTelemetry', figure: 'cpuMicros', of: 'caracal, written', most: 1.25 },
    ],
  },
  ...bodies('100 kB', 100 * KIB, 32),
  ...bodies('100 MB', 100 * MIB, 2, 5),
  {
    name: 'events',
    title: 'Event streams',
    text: '16 streams of 1,000 events at a time; a request is a whole stream.',
    upstream: 'bodies',
    request: { path: '/v1/files/events?n=1000' },
    targets: [...RELAYS, 'caracal, written'],
    connections: 16,
  },
  {
    name: 'minted',
    title: 'A mandate minted, verified and used once for each request',
    text:
      'For each request a mandate is asked for over HTTP, at a token service in the process of the gateway, signed (ES256), verified, and its ' +
      'single use marked in Redis; three records are written. A request counts with its minting, so half of what is sent counts; p50 and p99 are those ' +
      'of both. Redis has a process of its own, which is not counted in CPU.',
    baseline: 'caracal, minted',
    control: 'caracal, minted again',
    targets: ['caracal, minted', 'caracal, minted again'],
    stores: ['redis'],
    load: 'minted',
    connections: 64,
    claims: [{ target: 'caracal, minted', figure: 'perCore', least: 2_000 }],
  },
  {
    name: 'shared',
    title: 'Redis and PostgreSQL on',
    text:
      'A mandate seen before, evidence `written`; revocations followed in Redis, and every record shipped to PostgreSQL. On two cores PostgreSQL takes ' +
      'its CPU from the same machine, so requests/s has that price in it too, and what is left is the gateway’s: compare CPU. Shipping yields to ' +
      'requests and catches up behind the load. Whether ' +
      'the shipping keeps up is what `node test/bench/postgres.mjs` measures.',
    baseline: 'caracal, journal alone',
    control: 'caracal, journal alone again',
    targets: [
      'caracal, journal alone',
      'caracal, journal alone again',
      'caracal, Redis',
      'caracal, Redis and PostgreSQL',
    ],
    stores: ['redis', 'postgres'],
    connections: 64,
    claims: [
      { target: 'caracal, Redis', figure: 'requestsPerSecond', least: 0.85 },
      { target: 'caracal, Redis and PostgreSQL', figure: 'requestsPerSecond', least: 0.85 },
    ],
  },
  {
    name: 'workers',
    title: 'Two workers',
    text:
      '`caracal serve` with and without `--workers 2`; CPU and memory of all its processes together. Two workers, the process they belong to, the ' +
      'upstream and the load share two cores here: requests/s says nothing of what workers gain where there are cores for them, CPU per request does. ' +
      'The relay in two workers is what a second process costs by itself.',
    baseline: 'caracal serve',
    control: 'caracal serve again',
    targets: ['relay serving', 'relay, 2 workers', 'caracal serve', 'caracal serve again', 'caracal serve, 2 workers'],
    connections: 64,
    rounds: 5,
    // The load is shared: each worker gets half of the requests that have one process compiled.
    warmUpSeconds: 5,
    claims: [
      { target: 'caracal serve, 2 workers', figure: 'apart', most: 0.1 },
      cpu('caracal serve, 2 workers', 1),
      { ...cpu('caracal serve, 2 workers', 1), beyond: { target: 'relay, 2 workers', of: 'relay serving' } },
    ],
  },
  {
    name: 'flood',
    title: 'A flood of forged mandates',
    text:
      `Good traffic as fast as the answers come; beside it, where the row says so, ${FLOOD_RATE} forged mandates a second from one peer. The relay answers ` +
      'them with a 401 that is ready made: what they cost anybody who answers.',
    baseline: 'caracal, written',
    control: 'caracal, written again',
    targets: [
      BASELINE,
      'relay, beside a flood',
      'caracal, written',
      'caracal, written again',
      'caracal, beside a flood',
    ],
    load: 'flood',
    connections: 64,
    claims: [
      { target: 'relay, beside a flood', figure: 'requestsPerSecond', of: BASELINE, least: 0.9 },
      { target: 'caracal, beside a flood', figure: 'requestsPerSecond', least: 0.9 },
      { target: 'caracal, beside a flood', figure: 'p99Ms', most: 2 },
    ],
  },
  {
    name: 'quarter',
    title: 'Latency at a quarter of full load',
    text: 'Sent when due, whether or not those before are answered; latency counts from then.',
    targets: [...RELAYS, 'caracal, written'],
    load: 'quarter',
    connections: 64,
    claims: [
      { target: 'caracal, written', figure: 'p50Ms', added: 0.2 },
      { target: 'caracal, written', figure: 'p99Ms', added: 1 },
    ],
  },
];

function bodies(size, bytes, connections, leastSeconds = 1) {
  const name = size.replace(' ', '').toLowerCase();
  const both = { upstream: 'bodies', targets: [...RELAYS, 'caracal, written'], connections, leastSeconds };
  return [
    { ...both, name: `down-${name}`, title: `Downloads of ${size}`, request: { path: `/v1/files/bytes?n=${bytes}` } },
    {
      ...both,
      name: `up-${name}`,
      title: `Uploads of ${size}`,
      request: { path: '/v1/invoices', method: 'POST', bodyBytes: bytes },
    },
  ];
}
