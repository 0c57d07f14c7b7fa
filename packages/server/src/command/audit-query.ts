import { defineCommand } from '../frame/command.js';
import { FILTER_OPTIONS, journalFilter, PERIOD_OPTIONS } from './audit-options.js';
import { evidenceLine } from './evidence-text.js';
import { openEvidence, STATE_OPTIONS } from './state-directory.js';

export const auditQuery = defineCommand({
  name: 'audit query',
  summary: 'finds evidence',
  options: { ...STATE_OPTIONS, ...PERIOD_OPTIONS, ...FILTER_OPTIONS },
  details: [
    'Prints the records that match, oldest first; all that is given must match. A call that was allowed leaves two records, ' +
      'its authorization and its end. A gateway may be running meanwhile.',
  ],
  examples: [
    'caracal audit query --since 1h --decision denied',
    'caracal audit query --application billing-agent --outcome timeout --json',
  ],
  async run(invocation) {
    const { options, output } = invocation;
    const filter = journalFilter(options);
    const { reader } = await openEvidence(invocation);
    for await (const { record } of reader.query(filter)) {
      await output.tell(evidenceLine(record), record);
      if (output.closed) break;
    }
    return 0;
  },
});
