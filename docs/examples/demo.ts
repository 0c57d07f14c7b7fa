import { parseArgs } from 'node:util';
import type { AuditRecord } from '@caracal/core';
import { type ReadinessRow, readinessChecks } from './demo/readiness.js';
import { startFirstGateway } from './first-gateway.js';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const gateway = await startFirstGateway('.caracal');
console.log(`gateway on ${gateway.url}, in front of a billing API that demands a key\n`);

console.log(
  line({ check: 'CHECK', expected: 'EXPECTED', answered: 'ANSWERED', requestId: 'REQUEST ID', fault: undefined }, ' '),
);
let failed = 0;
for await (const row of readinessChecks(gateway)) {
  console.log(line(row, row.fault === undefined ? '✓' : '✗'));
  if (row.fault !== undefined) failed += 1;
}
console.log(failed === 0 ? '\nready: all five checks passed\n' : `\nnot ready: ${failed} of five checks failed\n`);

if (values.once) {
  await gateway.close();
  process.exitCode = failed === 0 ? 0 : 1;
} else {
  const mandate = await gateway.issuer.mint({ scope: 'billing:read', target: ['resource://billing-api'] });
  console.log('Try it (this mandate is good for five minutes; Ctrl-C ends the gateway):\n');
  console.log(`curl ${gateway.url}/v1/invoices/42 \\`);
  console.log(`  -H 'X-Caracal-Resource: resource://billing-api' \\\n  -H 'Authorization: Bearer ${mandate}'\n`);
  console.log('Evidence of each call, as it happens:\n');
  process.once('SIGINT', () => void gateway.close()); // the process ends when nothing is left to do
  for await (const { record } of gateway.journal.follow()) console.log(evidence(record));
}

function line(row: ReadinessRow, mark: string): string {
  const cells = `${mark} ${row.check.padEnd(17)} ${row.expected.padEnd(27)} ${row.answered.padEnd(27)} ${row.requestId}`;
  return row.fault === undefined ? cells : `${cells}\n    ${row.fault}`;
}

function evidence({
  time,
  type,
  requestId,
  applicationId,
  operation,
  path,
  error,
  outcome,
  status,
}: AuditRecord): string {
  const facts = [time, type, requestId, applicationId, operation?.method, path, error, outcome, status];
  return facts.filter((fact) => fact !== undefined).join('  ');
}
