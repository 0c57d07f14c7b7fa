import type { CommandEntry } from '../frame/run-command.js';

/** Every command, in the order of help. A command's own file is loaded when it is run: a start is quick. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'dev',
    summary: 'runs everything on loopback in one process, with a demo API behind it, and shows that it governs',
    load: async () => (await import('./dev.js')).dev,
  },
  {
    name: 'serve',
    summary: 'runs the gateway and, where configured, the token service and the admin endpoint',
    load: async () => (await import('./serve.js')).serve,
  },
  {
    name: 'check',
    summary: 'finds every mistake of a configuration; where its gateway runs, makes real calls to see that it governs',
    load: async () => (await import('./check.js')).check,
  },
  {
    name: 'explain',
    summary: 'tells how a call would be decided, and every check that leads there, without making it',
    load: async () => (await import('./explain.js')).explain,
  },
  {
    name: 'mandate',
    summary: 'gets a mandate from the token service, and prints it and nothing else',
    load: async () => (await import('./mandate.js')).mandate,
  },
  {
    name: 'revoke',
    summary: 'refuses what is named from now on, everywhere, and cuts its open streams',
    load: async () => (await import('./revoke.js')).revoke,
  },
  {
    name: 'connect list',
    summary: 'shows which accounts are connected',
    load: async () => (await import('./connect-list.js')).connectList,
  },
  {
    name: 'connect invite',
    summary: 'prints an address at which somebody connects an account, without signing in',
    load: async () => (await import('./connect-invite.js')).connectInvite,
  },
  {
    name: 'connect disconnect',
    summary: 'forgets a connected account, and revokes its tokens upstream where that can be done',
    load: async () => (await import('./connect-disconnect.js')).connectDisconnect,
  },
  {
    name: 'audit tail',
    summary: 'shows evidence as it is written',
    load: async () => (await import('./audit-tail.js')).auditTail,
  },
  {
    name: 'audit query',
    summary: 'finds evidence',
    load: async () => (await import('./audit-query.js')).auditQuery,
  },
  {
    name: 'audit trace',
    summary: "shows one request's whole evidence, and how its mandate was issued",
    load: async () => (await import('./audit-trace.js')).auditTrace,
  },
  {
    name: 'audit verify',
    summary: 'proves that no evidence was changed, dropped or cut, and says what it cannot prove',
    load: async () => (await import('./audit-verify.js')).auditVerify,
  },
  {
    name: 'audit export',
    summary: 'writes evidence as NDJSON, CSV or OCSF events',
    load: async () => (await import('./audit-export.js')).auditExport,
  },
  {
    name: 'migrate',
    summary: 'brings the PostgreSQL database to the schema of this release',
    load: async () => (await import('./migrate.js')).migrateCommand,
  },
  {
    name: 'profile',
    summary: 'prints what a client of an application needs: URLs, zone, resources',
    load: async () => (await import('./profile.js')).profile,
  },
  {
    name: 'seal',
    summary: 'seals a secret, read from standard input, for one place in the configuration',
    load: async () => (await import('./seal.js')).seal,
  },
  {
    name: 'keys new',
    summary: 'prints a new random key: for sealing, for an application’s secret, for the admin token',
    load: async () => (await import('./keys-new.js')).keysNew,
  },
  {
    name: 'keys rotate',
    summary: 'makes the running token service sign with a new key from now on',
    load: async () => (await import('./keys-rotate.js')).keysRotate,
  },
];
