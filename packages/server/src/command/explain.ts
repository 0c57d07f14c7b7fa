import type { Explanation } from '@caracal/core';
import { columns } from '../frame/columns.js';
import { defineCommand } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { adminClient, adminFault } from './admin-client.js';
import { CONFIG_OR_DEV_OPTION, openConfiguration } from './configuration-option.js';
import { NotListeningError } from './local-request.js';
import { gatewayUrl } from './public-urls.js';
import { readStandardInput } from './read-standard-input.js';

export const explain = defineCommand({
  name: 'explain',
  summary: 'tells how a call would be decided, and every check that leads there, without making it',
  arguments: [
    { name: 'METHOD', help: 'such as GET' },
    { name: 'PATH', help: 'as the caller sends it, query included' },
  ],
  options: {
    resource: { type: 'string', value: 'ID', help: 'X-Caracal-Resource of the call; none where a mount names it' },
    mandate: { type: 'string', value: 'MANDATE', help: 'the mandate; a lone dash reads it from standard input' },
    header: { type: 'string', value: 'NAME:VALUE', multiple: true, help: 'a further header of the call' },
    ...CONFIG_OR_DEV_OPTION,
  },
  details: [
    'Asks the running gateway, with its revocations and keys as they are now. Nothing is spent, sent or recorded: a single-use mandate ' +
      'is as good as before. Status 0: it would be allowed. Status 1: it would be refused.',
    'A mandate on the command line can be seen by other users of this machine: give --mandate - and pipe it in.',
  ],
  examples: [
    'caracal mandate --resource resource://billing-api | caracal explain GET /v1/invoices/42 --resource resource://billing-api --mandate -',
  ],
  async run(invocation) {
    const { options, output, env, stdin, arguments: positionals } = invocation;
    const [method = '', target = ''] = positionals;
    if (!target.startsWith('/')) throw wrongUse('PATH begins with a slash, such as /v1/invoices/42');
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    const mandate =
      options.mandate === '-'
        ? (await readStandardInput(stdin, () => output.note('paste the mandate, then Enter'))).trim()
        : options.mandate;
    const headers = [
      ...['Host', new URL(gatewayUrl(configuration)).host],
      ...(options.resource === undefined ? [] : ['X-Caracal-Resource', options.resource]),
      ...(mandate === undefined ? [] : ['Authorization', `Bearer ${mandate}`]),
      ...options.header.flatMap(headerOf),
    ];
    const admin = adminClient(configuration, env);
    if (admin === undefined) throw wrongUse('the configuration has no admin endpoint, which this asks; add admin');
    const answer = await admin.ask('POST', '/v1/explain', { method, target, headers }).catch((cause: unknown) => {
      throw cause instanceof NotListeningError ? failed(`${cause.message}; start the gateway: caracal serve`) : cause;
    });
    if (answer.status !== 200) throw failed(adminFault(answer));
    const explanation = answer.body as Explanation;
    await output.tell(explanationText(explanation), explanation);
    return explanation.decision === 'allowed' ? 0 : 1;
  },
});

function headerOf(text: string): readonly string[] {
  const [, name, value] = /^([^\s:]+):\s*(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw wrongUse('--header is NAME:VALUE, such as Accept:text/plain');
  return [name, value];
}

const MARKS: Readonly<Record<string, string>> = { passed: '✓', denied: '✗', not_spent: '·', not_reached: ' ' };
const TEXTS: Readonly<Record<string, string>> = {
  not_spent: 'not tried: it would use something up, or write something down',
  not_reached: 'not reached',
};

function explanationText({ decision, error, reason, checks, principal, resource, operation }: Explanation): string {
  const verdict = decision === 'allowed' ? 'allowed' : `refused: ${error}${reason === undefined ? '' : ` (${reason})`}`;
  const facts = [
    ['application', principal?.applicationId],
    ['subject', principal?.subject],
    ['zone', principal?.zoneId],
    ['issuer', principal?.issuer],
    ['resource', resource],
    ['operation', operation === undefined ? undefined : (operation.name ?? operation.template)],
  ].filter((row): row is [string, string] => row[1] !== undefined);
  const rows = checks.map(({ rows, name, result, error, reason }) => {
    const why = reason === undefined ? error : `${error} (${reason})`;
    return [`${MARKS[result] ?? '?'} ${rows}`, name, result === 'denied' ? (why ?? '') : (TEXTS[result] ?? '')];
  });
  return [verdict, columns(facts, '  '), columns(rows, '  ')].filter((section) => section !== '').join('\n\n');
}
