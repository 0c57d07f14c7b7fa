import { type AuditRecord, escapeForTerminal } from '@caracal/core';
import { DirectoryLockedError, StorageError } from '@caracal/file';
import { type ReadinessRow, readinessChecks } from './demo/readiness.js';
import { startFirstGateway } from './first-gateway.js';

const USAGE = `usage: npm start -- [option]
  --once   end after the five checks, with their result as the exit status
  --help   print this`;

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--once' && arg !== '--help');
if (unknown !== undefined) {
  console.error(`unknown option ${escapeForTerminal(unknown)}\n${USAGE}`);
  process.exit(2);
}
if (args.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}

const onWarning = ({ message }: { readonly message: string }) => console.log(`note: ${escapeForTerminal(message)}`);
const gateway = await startFirstGateway('.caracal', {}, { onWarning }).catch((cause: unknown) => {
  if (!(cause instanceof DirectoryLockedError || cause instanceof StorageError)) throw cause;
  console.error(escapeForTerminal(cause.message));
  process.exit(1);
});
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

if (args.includes('--once')) {
  await gateway.close();
  process.exitCode = failed === 0 ? 0 : 1;
} else {
  const mandate = await gateway.issuer.mint({ scope: 'billing:read', target: ['resource://billing-api'] });
  console.log('Try it (this mandate is good for five minutes; Ctrl-C ends the gateway):\n');
  console.log(`curl ${gateway.url}/v1/invoices/42 \\`);
  console.log(`  -H 'X-Caracal-Resource: resource://billing-api' \\\n  -H 'Authorization: Bearer ${mandate}'\n`);
  console.log('Evidence of each call, as it happens:\n');
  const stop = () => {
    process.off('SIGINT', stop).off('SIGTERM', stop); // a second signal ends it at once
    void gateway.close(); // the process ends when nothing is left to do
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
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
  return escapeForTerminal(facts.filter((fact) => fact !== undefined).join('  '));
}
