// What one decision costs inside the process: admission and settling, mandate cached, records to memory.
// `pnpm bench:admission` after `pnpm build`.
import { apiKey, createGateway, memoryAuditSink, Secret } from '@caracal/core';
import { benchInput, gatewayOptions } from './input.mjs';
import { machine } from './report.mjs';

const BATCH = 20_000;
const ROUNDS = 15;
const WARM_UP_BATCHES = 5;

const EXECUTED = Object.freeze({
  outcome: 'executed',
  status: 200,
  upstreamStatus: 200,
  requestBytes: 0,
  responseBytes: 1024,
  firstByteMs: 1,
  attempts: 1,
  error: undefined,
  reason: undefined,
});

const { path, headers, gateway: known } = benchInput();
const list = ['Host', 'gateway.bench.test', ...Object.entries(headers).flat(), 'Accept-Encoding', 'gzip'];
const gateways = [];

const CASES = [
  { name: 'admit and settle, written', run: settling('written') },
  { name: 'admit and settle, written (control)', run: settling('written') },
  { name: 'admit and settle, buffered', run: settling('buffered') },
  { name: 'refuse: operation not declared', run: refusing('/v1/payroll') },
];

for (const { run } of CASES) {
  await run(1); // the first verifies a signature and waits; from then on the mandate is cached
  for (let batch = 0; batch < WARM_UP_BATCHES; batch++) await run(BATCH);
}
const figures = CASES.map(() => []);
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, { run }] of CASES.entries()) {
    const startedAt = performance.now();
    await run(BATCH);
    figures[index].push(((performance.now() - startedAt) * 1000) / BATCH);
  }
}
await Promise.all(gateways.map((gateway) => gateway.close()));

console.log(`${machine()}\n${ROUNDS} interleaved rounds of ${BATCH} calls\n`);
console.log('|  | µs a call, median | least |\n| --- | ---: | ---: |');
for (const [index, { name }] of CASES.entries()) {
  const sorted = figures[index].toSorted((a, b) => a - b);
  console.log(`| ${name} | ${sorted[ROUNDS >> 1].toFixed(2)} | ${sorted[0].toFixed(2)} |`);
}

function settling(durability) {
  const gateway = newGateway(durability);
  return async (calls) => {
    for (let call = 0; call < calls; call++) {
      let admitted = gateway.admit(head(path));
      if (admitted instanceof Promise) admitted = await admitted;
      if (admitted.kind !== 'exchange') throw new Error(`refused: ${admitted.body}`);
      admitted.settle(EXECUTED);
    }
  };
}

function refusing(target) {
  const gateway = newGateway('written');
  return async (calls) => {
    for (let call = 0; call < calls; call++) {
      let answered = gateway.admit(head(target));
      if (answered instanceof Promise) answered = await answered;
      if (answered.code !== 'operation_not_permitted') throw new Error(`${answered.kind}: ${answered.code}`);
    }
  };
}

function newGateway(durability) {
  const options = gatewayOptions({ apiKey, Secret }, { ...known, upstreamUrl: 'http://127.0.0.1:9' });
  const gateway = createGateway({ ...options, audit: { sink: memoryAuditSink({ maxRecords: 1000 }), durability } });
  gateways.push(gateway);
  return gateway;
}

// As an adapter does: a new head for each request.
function head(target) {
  return {
    method: 'GET',
    target,
    headers: list.slice(),
    httpVersion: '1.1',
    peer: { address: '127.0.0.1' },
    upgrade: false,
    fidelity: 'raw',
  };
}
