import { defineCommand } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { postgresFailure } from '../state/postgres-failure.js';
import { CONFIG_OPTION, openConfiguration } from './configuration-option.js';
import { openDatabase } from './database.js';

const PARTS = ['shipper', 'reader', 'gateway'] as const;

export const migrateCommand = defineCommand({
  name: 'migrate',
  summary: 'brings the PostgreSQL database to the schema of this release',
  options: {
    ...CONFIG_OPTION,
    'url-env': {
      type: 'string',
      value: 'NAME',
      help: 'the environment variable with the URL of the role that owns the tables; default stores.postgres.url',
    },
    grant: {
      type: 'string',
      value: 'PART=ROLE',
      multiple: true,
      help: `gives a role that exists what a part needs, and no more: ${PARTS.join(', ')}`,
    },
    'timeout-seconds': {
      type: 'string',
      value: 'N',
      help: 'for all of it, waiting for another migration included; default 60: indexes on much evidence take longer',
    },
    'retention-days': {
      type: 'string',
      value: 'N',
      help: 'then drops months of evidence that are wholly older, and keeps a record of it',
    },
  },
  details: [
    'Run it before each release, as often as you like: it goes forward only, in one transaction, and a second one at the same time ' +
      'waits. It also makes the tables of the months to come.',
  ],
  examples: [
    'caracal migrate',
    'caracal migrate --url-env OWNER_URL --grant shipper=caracal --grant gateway=caracal --grant reader=caracal_reader',
  ],
  async run(invocation) {
    const { options, output } = invocation;
    const grants = Object.fromEntries(options.grant.map(grantOf));
    const days = options['retention-days'];
    if (days !== undefined && !/^[1-9]\d{0,5}$/.test(days)) {
      throw wrongUse('--retention-days is a whole number above 0');
    }
    const seconds = options['timeout-seconds'];
    if (seconds !== undefined && !/^[1-9]\d{0,4}$/.test(seconds)) {
      throw wrongUse('--timeout-seconds is a whole number from 1 to 99999');
    }
    const { configuration } = await openConfiguration(invocation);
    const url = options['url-env'] === undefined ? undefined : { env: options['url-env'] };
    const pool = await openDatabase(configuration, invocation.env, { url });
    const { migrate, applyAuditRetention } = await import('@caracal/postgres');
    try {
      const report = await migrate(pool, {
        grants,
        ...(seconds === undefined ? {} : { timeoutMs: Number(seconds) * 1000 }),
      });
      const dropped = days === undefined ? [] : await applyAuditRetention(pool, { retentionDays: Number(days) });
      const { from, to, applied } = report;
      const steps = applied.map(({ version, name }) => `  ${version} ${name}`);
      const text =
        from === to ? `the schema is version ${to} already` : `the schema went from version ${from} to ${to}`;
      const gone = days === undefined ? [] : [`months of evidence dropped: ${dropped.length}`];
      await output.tell([text, ...steps, ...gone].join('\n'), days === undefined ? report : { ...report, dropped });
      return 0;
    } catch (cause) {
      const failure = postgresFailure(cause);
      throw failure === undefined ? cause : failed(`nothing was migrated, or not to its end: ${failure}`);
    } finally {
      await pool.end();
    }
  },
});

function grantOf(text: string): [string, string] {
  const cut = text.indexOf('=');
  const part = PARTS.find((known) => known === text.slice(0, cut));
  const role = text.slice(cut + 1);
  if (part === undefined || role === '')
    throw wrongUse(`--grant is PART=ROLE, such as shipper=caracal; parts are ${PARTS.join(', ')}`);
  return [part, role];
}
