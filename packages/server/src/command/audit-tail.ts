import { defineCommand } from '../frame/command.js';
import { FILTER_OPTIONS, journalFilter, PERIOD_OPTIONS } from './audit-options.js';
import { evidenceLine } from './evidence-text.js';
import { openEvidence, STATE_OPTIONS } from './state-directory.js';

const { since, limit } = PERIOD_OPTIONS;

export const auditTail = defineCommand({
  name: 'audit tail',
  summary: 'shows evidence as it is written',
  options: {
    ...STATE_OPTIONS,
    since: { ...since, help: `also what was written ${since.help}` },
    limit: { ...limit, help: 'ends after so many' },
    ...FILTER_OPTIONS,
  },
  details: ['Ends on Ctrl-C. It reads the files: however slow it is, it costs the gateway nothing.'],
  examples: ['caracal audit tail', 'caracal audit tail --decision denied --json | jq .reason'],
  endsOnSignal: true,
  async run(invocation) {
    const { options, output, signal } = invocation;
    const filter = journalFilter(options);
    const { reader } = await openEvidence(invocation);
    const from = options.since === undefined ? 'end' : 'start';
    for await (const { record } of reader.follow({ from, filter, signal })) {
      await output.tell(evidenceLine(record), record);
      if (output.closed) break;
    }
    return 0;
  },
});
