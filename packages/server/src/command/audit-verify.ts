import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseHead, type SignedHead, type VerificationReport } from '@caracal/file';
import { wrapped } from '../frame/columns.js';
import { defineCommand } from '../frame/command.js';
import { wrongUse } from '../frame/command-error.js';
import { systemFault } from '../frame/system-fault.js';
import { openSource, VERIFY_SOURCE_OPTIONS } from './evidence-source.js';

export const auditVerify = defineCommand({
  name: 'audit verify',
  summary: 'proves that no evidence was changed, dropped or cut, and says what it cannot prove',
  options: {
    'public-key': {
      type: 'string',
      value: 'FILE',
      multiple: true,
      help: "the gateway's public key, kept apart from the journal: PEM, or the key itself in base64url",
    },
    heads: { type: 'string', value: 'FILE', multiple: true, help: 'signed heads, kept apart from the journal: NDJSON' },
    ...VERIFY_SOURCE_OPTIONS,
  },
  details: [
    'Exit status 0 means that everything that was asked for is proved: that each record follows the one before it; with ' +
      '--public-key, that the holder of that key signed them; with --heads, that none up to the last head was cut off. ' +
      'What is not proved is listed in any case. A gateway may be running meanwhile.',
  ],
  examples: ['caracal audit verify', 'caracal audit verify --public-key gateway.pem --heads heads.ndjson --json'],
  async run(invocation) {
    const { options, output, cwd } = invocation;
    const publicKey = await Promise.all(options['public-key'].map((given) => publicKeyText(given, cwd)));
    const heads = (await Promise.all(options.heads.map((path) => readHeads(path, cwd)))).flat();
    const source = await openSource(invocation, 'journal');
    const report = await source
      .verify({ heads, ...(publicKey.length === 0 ? undefined : { publicKey }) })
      .catch((cause: unknown) => {
        // Only a key that is none is the caller's fault.
        throw cause instanceof TypeError ? wrongUse(`--public-key: ${cause.message}`) : cause;
      });
    const missing = unproved(report, publicKey.length > 0, options.heads.length > 0);
    const ok = report.ok && missing.length === 0;
    await output.object({ ...report, ok, directory: source.where, notProved: [...missing, ...report.notProved] });
    await output.text(reportText(report, ok, missing, source.where));
    return ok ? 0 : 1;
  },
});

/** What was asked for and is not proved, though no record contradicts it. */
function unproved(report: VerificationReport, keyGiven: boolean, headsGiven: boolean): string[] {
  const missing: string[] = [];
  if (!report.ok) return missing;
  if (keyGiven && report.uncovered >= report.records) {
    missing.push('--public-key: no head is signed with the given key, so it proves nothing');
  }
  if (headsGiven && report.uncoveredOutside >= report.records) {
    missing.push('--heads: none of the given heads is one of this journal, so they prove nothing');
  }
  return missing;
}

function reportText(
  { failure, records, chains, segments, last, proved, notProved, recoveries, tornEnd }: VerificationReport,
  ok: boolean,
  missing: readonly string[],
  directory: string,
): string {
  const size = `${count(records, 'record')}, ${count(chains, 'chain')}, ${count(segments, 'segment')}`;
  const lines = [`${ok ? 'ok' : 'NOT OK'}: ${size} in ${directory}`];
  if (failure !== undefined) {
    const places = [
      failure.file,
      failure.line === undefined ? undefined : `line ${failure.line}`,
      failure.chain === undefined ? undefined : `chain ${failure.chain}`,
      failure.seq === undefined ? undefined : `seq ${failure.seq}`,
    ].filter((place) => place !== undefined);
    lines.push(`first bad record: ${places.join(', ') || 'none of them'}`, `  ${failure.message} (${failure.reason})`);
  } else if (last !== undefined) {
    lines.push(`last record: chain ${last.chain}, seq ${last.seq}`);
  }
  for (const { time, torn } of recoveries.filter(({ torn }) => torn.length > 0)) {
    const bytes = torn.reduce((sum, tail) => sum + tail.bytes, 0);
    lines.push(`at ${time} a start found an interrupted write of ${count(bytes, 'byte')} and named it`);
  }
  if (tornEnd !== undefined)
    lines.push(`a write of ${count(tornEnd.bytes, 'byte')} at the end is under way, or was interrupted`);
  return [lines.join('\n'), list('proved', proved), list('not proved', [...missing, ...notProved])]
    .filter((section) => section !== '')
    .join('\n\n');
}

function list(title: string, statements: readonly string[]): string {
  if (statements.length === 0) return '';
  return [title, ...statements.map((statement) => `  - ${wrapped(statement, 96, '    ').trimStart()}`)].join('\n');
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** A file that holds the key, or the key itself as the gateway prints it. */
async function publicKeyText(given: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, given), 'utf8');
  } catch (cause) {
    if (/^[A-Za-z0-9_-]{43}$/.test(given)) return given;
    throw wrongUse(`--public-key: ${systemFault(given, cause)}`);
  }
}

async function readHeads(path: string, cwd: string): Promise<SignedHead[]> {
  const text = await readFile(resolve(cwd, path), 'utf8').catch((cause: unknown) => {
    throw wrongUse(`--heads: ${systemFault(path, cause)}`);
  });
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, index) => {
    try {
      return parseHead(line);
    } catch {
      throw wrongUse(`--heads: line ${index + 1} of ${path} is not a signed head`);
    }
  });
}
