import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, relative } from 'node:path';
import { type AuditRecord, addressPolicy } from '@caracal/core';
import { openJournalReader } from '@caracal/file';
import type { Configuration, ResourceConfiguration } from '../configuration/configuration.js';
import type { LoadedConfiguration } from '../configuration/load-configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import { defineCommand, type Invocation } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { nearName } from '../frame/near-name.js';
import { secretProblems } from '../secrets/secret-problems.js';
import { type AdminClient, adminClient, adminFault } from './admin-client.js';
import { applicationSecret } from './applications.js';
import { providerChecks } from './check-providers.js';
import { CONFIG_OR_DEV_OPTION, configurationFault, openConfiguration } from './configuration-option.js';
import { type DirectoryRows, directoryRows } from './directory-rows.js';
import { localOrigin, localRequest, NotListeningError } from './local-request.js';
import { tokenServiceIssuer } from './public-urls.js';
import { type CheckMandate, type ReadinessWorld, readinessChecks } from './readiness.js';
import { providerLine, readinessHeader, readinessLine } from './readiness-text.js';
import { requestMandate } from './request-mandate.js';

const OPTIONS = {
  resource: { type: 'string', value: 'ID', multiple: true, help: 'calls only this one; default every one' },
  offline: { type: 'boolean', help: 'checks the file alone: asks no authorization server and no gateway' },
  'without-secrets': {
    type: 'boolean',
    help: 'does not look whether the secrets can be had here, nor asks what needs them',
  },
  ...CONFIG_OR_DEV_OPTION,
} as const;

export const check = defineCommand({
  name: 'check',
  summary: 'finds every mistake of a configuration; where its gateway runs, makes real calls to see that it governs',
  options: OPTIONS,
  details: [
    'The file: every mistake at once, each with its place and remedy, and every secret that cannot be had here. Status 2 where ' +
      'there is one.',
    'The resource directory in PostgreSQL, where one is configured: every row that the gateway refuses, and why. Status 1 where ' +
      'there is one.',
    'The providers that obtain tokens: their authorization servers are asked for real (metadata, client authentication, the ' +
      'authorization request) with the secrets that are here; places where people sign in likewise. Status 1 where one refuses.',
    'The gateway, for each resource: an allowed request (the check of the resource, else a declared GET without parameters; the only call that ' +
      'reaches the upstream), with its credential and records read from the evidence; and requests that have to be refused: ' +
      'without a mandate, without the scope, for another resource, of a revoked session. Status 1 where one is not as expected; ' +
      'what cannot be tried is skipped, and said.',
  ],
  examples: [
    'caracal check',
    'caracal check --config caracal.config.yaml --resource resource://billing-api',
    'caracal check --offline --without-secrets',
  ],
  async run(invocation) {
    const { options, output, env } = invocation;
    const loaded = await openConfiguration(invocation, { orDev: true });
    const { configuration } = loaded;
    const rows = options.offline ? NO_ROWS : await rowsOf(configuration, env);
    const resources = chosenResources([...configuration.resources, ...rows.resources], options.resource);
    if (!options['without-secrets']) await requireSecrets(loaded, env);
    await tellFile(invocation, loaded);
    if (options.offline) return 0;
    let failures = await tellRows(invocation, rows);
    failures += await tellProviders(invocation, loaded, resources);
    const admin = adminClient(configuration, env);
    if (!(await tellGateway(invocation, loaded, admin))) return failures === 0 ? 0 : 1;
    for (const resource of resources) {
      failures += await checkResource(invocation, worldOf(configuration, admin, env), resource);
    }
    await output.text(failures === 0 ? '\nready' : `\nnot ready: ${failures} of these failed`);
    return failures === 0 ? 0 : 1;
  },
});

/** What is known of the resource directory; `undefined` where the configuration has none, a text where it cannot be read. */
interface KnownRows extends DirectoryRows {
  readonly read: boolean | string | undefined;
}

const NO_ROWS: KnownRows = { read: undefined, resources: [], refused: [] };

async function rowsOf(configuration: Configuration, env: NodeJS.ProcessEnv): Promise<KnownRows> {
  if (configuration.stores.postgres?.resources !== true) return NO_ROWS;
  const rows = await directoryRows(configuration, env);
  return typeof rows === 'string' ? { ...NO_ROWS, read: rows } : { ...rows, read: true };
}

/** Tells of the resource directory. Answers how much is wrong with it. */
async function tellRows({ output }: Invocation, { read, resources, refused }: KnownRows): Promise<number> {
  if (read === undefined) return 0;
  if (typeof read === 'string') {
    const text = `the resource directory cannot be read: ${read}`;
    await output.tell(text, { check: 'directory', result: 'failed', explanation: read });
    return 1;
  }
  await output.tell(
    `the resource directory in PostgreSQL: ${count(resources.length, 'resource')}, ${refused.length} refused`,
    { check: 'directory', result: refused.length === 0 ? 'passed' : 'failed', resources: resources.length },
  );
  for (const { zone, identifier, reason } of refused) {
    const row = `${identifier} of zone ${zone} is refused: ${reason}`;
    await output.tell(row, { check: 'directory row', result: 'failed', zone, identifier, explanation: reason });
  }
  return refused.length;
}

function chosenResources(
  resources: readonly ResourceConfiguration[],
  wanted: readonly string[],
): readonly ResourceConfiguration[] {
  if (wanted.length === 0) return resources;
  const known = resources.map(({ identifier }) => identifier);
  return wanted.map((identifier) => {
    const found = resources.find((resource) => resource.identifier === identifier);
    if (found !== undefined) return found;
    const near = nearName(identifier, known);
    throw wrongUse(
      `there is no resource ${identifier} in the configuration${near === undefined ? '' : `; did you mean ${near}?`}`,
    );
  });
}

/** Asks the authorization servers of the providers that these resources use, or of all, and tells. How many failed. */
async function tellProviders(
  { options, output, env }: Invocation<typeof OPTIONS>,
  { configuration }: LoadedConfiguration,
  resources: readonly ResourceConfiguration[],
): Promise<number> {
  // Without their secrets they would refuse us for no fault of the configuration.
  if (options['without-secrets']) return 0;
  const used = new Set(resources.map(({ provider }) => provider));
  const rows = await providerChecks(configuration, ({ id }) => options.resource.length === 0 || used.has(id), env);
  for (const row of rows) await output.tell(providerLine(row), { check: 'provider', ...row });
  return rows.filter(({ result }) => result === 'failed').length;
}

async function requireSecrets({ configuration, file }: LoadedConfiguration, env: NodeJS.ProcessEnv): Promise<void> {
  const problems = await secretProblems(configuration, env);
  if (problems.length > 0) throw configurationFault(new ConfigurationError(problems, file));
}

async function tellFile(
  { output, cwd }: Invocation,
  { configuration, file, version }: LoadedConfiguration,
): Promise<void> {
  const { resources, providers, tokenService, issuers, admin } = configuration;
  const counts = [
    count(resources.length, 'resource'),
    count(providers.length, 'provider'),
    ...(tokenService === undefined ? [] : [count(tokenService.applications.length, 'application')]),
    ...(issuers.length === 0 ? [] : [count(issuers.length, 'other issuer')]),
    ...(admin === undefined ? ['no admin endpoint'] : []),
  ];
  const name = file === undefined ? 'the configuration' : relative(cwd, file) || file;
  await output.tell(`${name} is in order: ${counts.join(', ')} (version ${version})`, {
    check: 'configuration',
    result: 'passed',
    file,
    version,
  });
  for (const resource of resources) tellAddress(output, resource);
}

/** An upstream at an address that the resource does not allow is refused with every call: that is known beforehand. */
function tellAddress(
  output: Invocation['output'],
  { identifier, upstreamUrl, allowPrivateNetwork }: ResourceConfiguration,
): void {
  const address = upstreamUrl === undefined ? '' : new URL(upstreamUrl).hostname.replace(/^\[|\]$/g, '');
  const version = isIP(address);
  if (version === 0 || addressPolicy(allowPrivateNetwork).allows(address)) return;
  const own = `${address}/${version === 4 ? 32 : 128}`;
  const remedy = addressPolicy([own]).allows(address)
    ? `if it is meant, allow it: allowPrivateNetwork: ["${own}"]`
    : 'and no setting allows it';
  output.note(`${identifier}: every call will be refused (upstream_not_allowed): ${address} is not public; ${remedy}`);
}

/** Tells which gateway answers. `false`: none does. */
async function tellGateway(
  { output }: Invocation,
  { configuration, version }: LoadedConfiguration,
  admin: AdminClient | undefined,
): Promise<boolean> {
  const origin = localOrigin(configuration.gateway);
  if (!(await answers(configuration))) {
    await output.tell(
      origin === undefined
        ? 'gateway.listen leaves the port to the system: the gateway cannot be found, so only the file was checked'
        : `no gateway answers on ${origin}, so only the file was checked; start it: caracal serve`,
      { check: 'gateway', result: 'skipped', url: origin },
    );
    return false;
  }
  const running = admin === undefined ? undefined : await runningVersion(admin);
  await output.tell(`the gateway answers on ${origin}`, {
    check: 'gateway',
    result: 'passed',
    url: origin,
    version: running,
  });
  if (running !== undefined && running !== version) {
    output.note(`the gateway runs version ${running} of its configuration, not this one; see its log, or reload it`);
  }
  return true;
}

async function answers({ gateway }: Configuration): Promise<boolean> {
  try {
    await localRequest(gateway, { method: 'GET', path: '/' });
    return true;
  } catch (cause) {
    if (cause instanceof NotListeningError) return false;
    throw failed(`the gateway at ${localOrigin(gateway)} cannot be asked: ${(cause as Error).message}`);
  }
}

async function runningVersion(admin: AdminClient): Promise<string | undefined> {
  try {
    const { body } = await admin.ask('GET', '/v1/status');
    return (body as { readonly configuration?: { readonly version?: string } } | undefined)?.configuration?.version;
  } catch (cause) {
    if (cause instanceof NotListeningError) return undefined; // said by the check that needs it
    throw cause;
  }
}

async function checkResource(
  { output }: Invocation,
  world: ReadinessWorld,
  resource: ResourceConfiguration,
): Promise<number> {
  let failures = 0;
  await output.text(`\n${resource.identifier}\n${readinessHeader()}`);
  for await (const row of readinessChecks(world, resource)) {
    if (row.result === 'failed') failures += 1;
    await output.tell(readinessLine(row), { resource: resource.identifier, ...row });
  }
  return failures;
}

function worldOf(configuration: Configuration, admin: AdminClient | undefined, env: NodeJS.ProcessEnv): ReadinessWorld {
  return {
    configuration,
    mandate: (wanted) => mandateOf(configuration, wanted, env),
    revokeSession: admin === undefined ? undefined : (sid) => revokeSession(configuration, admin, sid),
    evidence: (requestId) => evidenceOf(configuration, admin, requestId),
  };
}

async function mandateOf(
  configuration: Configuration,
  { applicationId, resource, scopes }: CheckMandate,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { tokenService } = configuration;
  const application = tokenService?.applications.find(({ id }) => id === applicationId);
  if (tokenService === undefined || application === undefined) throw failed(`there is no application ${applicationId}`);
  const secret = await applicationSecret(configuration, application, env);
  const { mandate } = await requestMandate(tokenService, { applicationId, secret, resources: [resource], scopes });
  return mandate;
}

async function revokeSession(configuration: Configuration, admin: AdminClient, sid: string): Promise<void> {
  const anchor = { kind: 'sid', id: sid, zone: configuration.zone, issuer: tokenServiceIssuer(configuration) };
  const answer = await admin.ask('POST', '/v1/revocations', { anchors: [anchor] });
  if (answer.status !== 200) throw failed(adminFault(answer));
}

async function evidenceOf(
  { stores }: Configuration,
  admin: AdminClient | undefined,
  requestId: string,
): Promise<readonly AuditRecord[]> {
  if (admin !== undefined) {
    // Of the gateway that was called, and at once.
    const { body } = await admin.ask('GET', `/v1/audit/requests/${encodeURIComponent(requestId)}?source=journal`);
    const { records = [] } = (body ?? {}) as { readonly records?: readonly { readonly record: AuditRecord }[] };
    return records.map(({ record }) => record);
  }
  const directory = join(stores.stateDirectory, 'audit');
  if (!existsSync(directory)) return [];
  const { records } = await (await openJournalReader(directory)).trace(requestId);
  return records.map(({ record }) => record);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
