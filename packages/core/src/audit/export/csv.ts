import type { AuditRecord } from '../record.js';
import { escapeForTerminal } from './safe-text.js';

type Cell = string | number | readonly unknown[] | undefined;

/** Columns, in order, and what each is taken from. New ones are only ever added at the end. */
const COLUMNS: readonly (readonly [name: string, cell: (record: AuditRecord) => Cell])[] = [
  ['id', ({ id }) => id],
  ['type', ({ type }) => type],
  ['time', ({ time }) => time],
  ['bootId', ({ bootId }) => bootId],
  ['gatewayId', ({ gatewayId }) => gatewayId],
  ['requestId', ({ requestId }) => requestId],
  ['clientRequestId', ({ clientRequestId }) => clientRequestId],
  ['traceId', ({ traceId }) => traceId],
  ['peer', ({ peer }) => peer],
  ['zoneId', ({ zoneId }) => zoneId],
  ['issuer', ({ issuer }) => issuer],
  ['applicationId', ({ applicationId }) => applicationId],
  ['subject', ({ subject }) => subject],
  ['subjectType', ({ subjectType }) => subjectType],
  ['sessionId', ({ sessionId }) => sessionId],
  ['rootSessionId', ({ rootSessionId }) => rootSessionId],
  ['agentSessionId', ({ agentSessionId }) => agentSessionId],
  ['delegationPath', ({ delegationPath }) => delegationPath],
  ['delegationChain', ({ delegationChain }) => delegationChain],
  ['hopCount', ({ hopCount }) => hopCount],
  ['jti', ({ jti }) => jti],
  ['resource', ({ resource }) => resource],
  ['method', ({ operation }) => operation?.method],
  ['operationTemplate', ({ operation }) => operation?.template],
  ['operationName', ({ operation }) => operation?.name],
  ['path', ({ path }) => path],
  ['decision', ({ decision }) => decision],
  ['error', ({ error }) => error],
  ['reason', ({ reason }) => reason],
  ['policies', ({ policies }) => policies],
  ['providerId', ({ provider }) => provider?.id],
  ['providerKind', ({ provider }) => provider?.kind],
  ['connection', ({ provider }) => provider?.connection],
  ['upstreamHost', ({ upstream }) => upstream?.host],
  ['upstreamStatus', ({ upstream }) => upstream?.status],
  ['status', ({ status }) => status],
  ['requestBytes', ({ requestBytes }) => requestBytes],
  ['responseBytes', ({ responseBytes }) => responseBytes],
  ['durationMs', ({ durationMs }) => durationMs],
  ['firstByteMs', ({ firstByteMs }) => firstByteMs],
  ['attempts', ({ attempts }) => attempts],
  ['outcome', ({ outcome }) => outcome],
  ['count', ({ count }) => count],
  ['use', ({ use }) => use],
  ['targets', ({ targets }) => targets],
  ['scopes', ({ scopes }) => scopes],
  ['requester', ({ requester }) => requester],
  ['initiator', ({ initiator }) => initiator],
];

/** Names of the columns, in order. */
export const CSV_COLUMNS: readonly string[] = Object.freeze(COLUMNS.map(([name]) => name));

/** The first line of a file of records, with its CR LF. */
export function csvHeader(): string {
  return `${CSV_COLUMNS.join(',')}\r\n`;
}

/**
 * One record as a line of CSV, with its CR LF. Absent members are empty cells, lists are JSON, numbers are plain.
 *
 * Text that a spreadsheet would run as a formula (it begins with `= + - @`, tab or CR) gets a leading `'`; control and
 * bidirectional characters are escaped, so that a record is always one line.
 *
 * @see RFC 4180 section 2; OWASP "CSV Injection"
 */
export function csvRow(record: AuditRecord): string {
  return `${COLUMNS.map(([, cell]) => csvCell(cell(record))).join(',')}\r\n`;
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell);
  // The wide forms too: a spreadsheet for East Asian text takes them for the same.
  const inert = /^[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/.test(text)
    ? `'${escapeForTerminal(text)}`
    : escapeForTerminal(text);
  // The semicolon too: where it is the list separator, what follows it would be a cell of its own, and perhaps a formula.
  return /[",;]|^\s|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
