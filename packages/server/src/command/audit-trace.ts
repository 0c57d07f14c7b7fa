import { escapeForTerminal } from '@caracal/core';
import { defineCommand } from '../frame/command.js';
import { failed } from '../frame/command-error.js';
import { openSource, SOURCE_OPTIONS } from './evidence-source.js';
import { evidenceDetails } from './evidence-text.js';

export const auditTrace = defineCommand({
  name: 'audit trace',
  summary: "shows one request's whole evidence, and how its mandate was issued",
  arguments: [{ name: 'ID', help: "the request's id: X-Caracal-Request-Id of its answer" }],
  options: SOURCE_OPTIONS,
  details: [
    'The end is `unknown` where a call was allowed, has no end in the journal, and the process that knew is gone. With --json ' +
      'one object with requestId, outcome, issue and records.',
  ],
  examples: ['caracal audit trace 01a20a51-039c-707a-bdee-21e75a19281f'],
  async run(invocation) {
    const [requestId = ''] = invocation.arguments;
    const { output } = invocation;
    const source = await openSource(invocation, 'postgres');
    const { records, issue, outcome } = await source.trace(requestId);
    if (records.length === 0) {
      throw failed(`there is no evidence of a request ${requestId} in ${source.where}; look with: caracal audit query`);
    }
    await output.object({
      requestId,
      outcome,
      issue: issue?.record,
      records: records.map(({ record }) => record),
    });
    await output.text(
      `request ${escapeForTerminal(requestId)}: ${outcome ?? (isDenied(records) ? 'refused' : 'under way')}`,
    );
    for (const { record } of issue === undefined ? records : [issue, ...records]) {
      await output.text(`\n${record.time}  ${record.type}\n${evidenceDetails(record, '  ')}`);
    }
    return 0;
  },
});

function isDenied(records: readonly { readonly record: { readonly decision?: string | undefined } }[]): boolean {
  return records.some(({ record }) => record.decision === 'denied');
}
