import { type AuditRecord, csvHeader, csvRow, jsonLine, ocsfActivity, ocsfConnection } from '@caracal/core';
import { defineCommand } from '../frame/command.js';
import { FILTER_OPTIONS, journalFilter, PERIOD_OPTIONS } from './audit-options.js';
import { openSource, SOURCE_OPTIONS } from './evidence-source.js';

/** Allowed requests whose end is waited for; beyond it the oldest is written without one. */
const MAX_OPEN_REQUESTS = 100_000;

export const auditExport = defineCommand({
  name: 'audit export',
  summary: 'writes evidence as NDJSON, CSV or OCSF events',
  options: {
    format: {
      type: 'string',
      choices: ['ndjson', 'csv', 'ocsf'],
      help: 'NDJSON (the default), CSV for spreadsheets, or OCSF events for a SIEM (API Activity, Entity Management)',
    },
    ...SOURCE_OPTIONS,
    ...PERIOD_OPTIONS,
    ...FILTER_OPTIONS,
  },
  details: [
    'NDJSON is each record with its seq and hash; control and bidirectional characters are escaped in every format, and what a ' +
      'spreadsheet would run as a formula is not one in CSV. An OCSF event is both records of a request in one; what is about ' +
      'neither a request nor a connected account is left out.',
  ],
  examples: ['caracal audit export --since 24h > evidence.ndjson', 'caracal audit export --format csv > evidence.csv'],
  async run(invocation) {
    const { options, output } = invocation;
    const { format = 'ndjson' } = options;
    const filter = journalFilter(options);
    const source = await openSource(invocation, 'postgres');
    if (format === 'csv') await output.raw(csvHeader());
    const pairs = new RequestPairs();
    for await (const { record, seq, hash } of source.query(filter)) {
      if (output.closed) break;
      if (format === 'csv') await output.raw(csvRow(record));
      else if (format === 'ocsf') await output.raw(pairs.add(record));
      else await output.raw(`${jsonLine({ seq, ...record, hash })}\n`);
    }
    if (format === 'ocsf') await output.raw(pairs.rest());
    return 0;
  },
});

/** Both records of an allowed request make one event. */
class RequestPairs {
  readonly #open = new Map<string, AuditRecord>();

  /** Lines that can be written now that this record is known. */
  add(record: AuditRecord): string {
    const { type, requestId } = record;
    if (type === 'request.authorized' && requestId !== undefined) {
      this.#open.set(requestId, record);
      if (this.#open.size <= MAX_OPEN_REQUESTS) return '';
      const [[oldest, alone]] = this.#open as unknown as [[string, AuditRecord]];
      this.#open.delete(oldest);
      return event(alone);
    }
    const authorized = type === 'request.completed' ? this.#open.get(requestId ?? '') : undefined;
    if (authorized === undefined) return event(record);
    this.#open.delete(requestId ?? '');
    return event(authorized, record);
  }

  /** Lines of the requests that have no end. */
  rest(): string {
    return [...this.#open.values()].map((record) => event(record)).join('');
  }
}

function event(record: AuditRecord, completed?: AuditRecord): string {
  const activity = ocsfActivity(record, completed) ?? ocsfConnection(record);
  return activity === undefined ? '' : `${jsonLine(activity)}\n`;
}
