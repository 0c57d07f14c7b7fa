import { defineCommand } from '../frame/command.js';
import { FILTER_OPTIONS, journalFilter, PERIOD_OPTIONS } from './audit-options.js';
import { openSource, SOURCE_OPTIONS } from './evidence-source.js';
import { evidenceLine } from './evidence-text.js';

export const auditQuery = defineCommand({
  name: 'audit query',
  summary: 'finds evidence',
  options: { ...SOURCE_OPTIONS, ...PERIOD_OPTIONS, ...FILTER_OPTIONS },
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
    const source = await openSource(invocation, 'postgres');
    for await (const { record } of source.query(filter)) {
      await output.tell(evidenceLine(record), record);
      if (output.closed) break;
    }
    return 0;
  },
});
