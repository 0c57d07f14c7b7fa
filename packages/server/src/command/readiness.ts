import type { AuditRecord } from '@caracal/core';
import type { ApplicationConfiguration, Configuration, ResourceConfiguration } from '../configuration/configuration.js';
import { type LocalAnswer, localRequest } from './local-request.js';

/** One readiness check and what came of it. */
export interface ReadinessRow {
  readonly check: string;
  /** Status and error code. */
  readonly expected: string;
  /** What was answered; empty where it was skipped. */
  readonly answered: string;
  readonly requestId: string | undefined;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped, or what else is known. */
  readonly explanation: string | undefined;
}

/** What a mandate for a check is asked for. */
export interface CheckMandate {
  readonly applicationId: string;
  readonly resource: string;
  readonly scopes: readonly string[];
}

/** What the checks need beside the gateway. What is missing makes the checks that need it say so. */
export interface ReadinessWorld {
  readonly configuration: Configuration;
  mandate(wanted: CheckMandate): Promise<string>;
  /** `undefined`: nothing to revoke through. */
  readonly revokeSession: ((sid: string) => Promise<void>) | undefined;
  /** The records of a request, as far as they are written. */
  evidence(requestId: string): Promise<readonly AuditRecord[]>;
}

/** A call that is made to the gateway. */
interface Call {
  readonly method: string;
  readonly path: string;
  readonly resource: string;
  readonly mandate: string | undefined;
}

/** What can be asked for at this resource. */
interface Plan {
  readonly world: ReadinessWorld;
  readonly resource: ResourceConfiguration;
  /** A call that is allowed with `scopes`; `undefined` where the configuration declares none that needs no parameters. */
  readonly allowed: { readonly method: string; readonly path: string } | undefined;
  /** A call of a declared operation, to be refused: its parameters are made up. */
  readonly declared: { readonly method: string; readonly path: string };
  /** Scopes that call needs. */
  readonly scopes: readonly string[];
  readonly application: ApplicationConfiguration | undefined;
  /** Why no mandate can be had that would be allowed. */
  readonly obstacle: string | undefined;
}

const EVIDENCE_TIMEOUT_MS = 5_000;
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD'];

/** Runs the checks of one resource, one after the other, each with a real call. */
export async function* readinessChecks(
  world: ReadinessWorld,
  resource: ResourceConfiguration,
): AsyncGenerator<ReadinessRow> {
  const plan = planOf(world, resource);
  yield allowedRequest(plan);
  yield missingMandate(plan);
  yield missingScope(plan);
  yield wrongResource(plan);
  yield revokedSession(plan);
}

async function allowedRequest(plan: Plan): Promise<ReadinessRow> {
  const { world, resource, allowed, obstacle } = plan;
  const check = 'allowed request';
  const expected = 'below 400';
  const none = allowed === undefined ? 'no GET without parameters is declared; give the resource a check' : undefined;
  if (obstacle !== undefined || allowed === undefined) return skipped(check, expected, obstacle ?? none);
  const mandate = await mandateFor(plan, plan.scopes);
  const answer = await call(world, { ...allowed, resource: resource.identifier, mandate });
  const row = { check, expected, answered: answeredOf(answer), requestId: requestIdOf(answer) };
  if (codeOf(answer) !== undefined) {
    return { ...row, result: 'failed', explanation: 'the gateway refused; docs/errors.md tells what its code means' };
  }
  const evidence = await credentialAndAudit(plan, row.requestId);
  if (evidence.fault !== undefined) return { ...row, result: 'failed', explanation: evidence.fault };
  if (answer.status >= 400) {
    const explanation = 'the upstream refuses: is the credential right, and the path of the check?';
    return { ...row, result: 'failed', explanation };
  }
  return { ...row, result: 'passed', explanation: evidence.text };
}

/** Whether the right credential was attached and every record written, read from the records. */
async function credentialAndAudit(
  { world, resource }: Plan,
  requestId: string | undefined,
): Promise<{ readonly fault: string | undefined; readonly text: string }> {
  const { gateway, providers } = world.configuration;
  const wanted =
    gateway.audit.durability === 'buffered' ? ['request.completed'] : ['request.authorized', 'request.completed'];
  const records = await evidenceOf(world, requestId, (found) => found.some(({ outcome }) => outcome !== undefined));
  const types = records.map(({ type }) => type).join(', ');
  const expected = providers.find(({ id }) => id === resource.provider) ?? { id: 'none', kind: 'none' };
  const attached = records.find(({ provider }) => provider !== undefined)?.provider;
  const credential = expected.kind === 'none' ? 'no credential' : `the credential of ${expected.id} (${expected.kind})`;
  const text = `${credential} was attached; evidence: ${types}`;
  if (types !== wanted.join(', ')) return { fault: `the evidence is ${types || 'missing'}`, text };
  if ((attached?.kind ?? 'none') !== expected.kind) return { fault: 'the evidence tells of another credential', text };
  return { fault: undefined, text };
}

function missingMandate(plan: Plan): Promise<ReadinessRow> {
  return refused('missing mandate', '401 missing_token', plan, async () => ({ mandate: undefined }));
}

function missingScope(plan: Plan): Promise<ReadinessRow> {
  const check = 'missing scope';
  const expected = '403 insufficient_scope';
  const { obstacle, scopes, application, resource } = plan;
  const granted = application?.grants.find((grant) => grant.resource === resource.identifier)?.scopes ?? [];
  const others = granted.filter((scope) => !scopes.includes(scope));
  if (obstacle !== undefined) return Promise.resolve(skipped(check, expected, obstacle));
  if (scopes.length === 0) return Promise.resolve(skipped(check, expected, 'no scope is needed'));
  if (others.length === 0) {
    const why = `${application?.id} has no other scope here to ask for instead of ${scopes.join(' ')}`;
    return Promise.resolve(skipped(check, expected, why));
  }
  return refused(check, expected, plan, async () => ({ mandate: await mandateFor(plan, others) }));
}

function wrongResource(plan: Plan): Promise<ReadinessRow> {
  const check = 'wrong resource';
  const expected = '403 resource_not_permitted';
  if (plan.obstacle !== undefined) return Promise.resolve(skipped(check, expected, plan.obstacle));
  return refused(check, expected, plan, async () => ({
    mandate: await mandateFor(plan, plan.scopes),
    resource: 'resource://caracal-check/another',
  }));
}

function revokedSession(plan: Plan): Promise<ReadinessRow> {
  const check = 'revoked session';
  const expected = '401 session_revoked';
  const { revokeSession } = plan.world;
  const why =
    plan.obstacle ?? (revokeSession === undefined ? 'there is no admin endpoint to revoke through' : undefined);
  if (why !== undefined || revokeSession === undefined) return Promise.resolve(skipped(check, expected, why));
  return refused(check, expected, plan, async () => {
    const mandate = await mandateFor(plan, plan.scopes);
    await revokeSession(sessionOf(mandate));
    return { mandate };
  });
}

/** A call that has to be refused, and has to leave its record. */
async function refused(
  check: string,
  expected: string,
  { world, declared, resource }: Plan,
  prepare: () => Promise<{ readonly mandate: string | undefined; readonly resource?: string }>,
): Promise<ReadinessRow> {
  const answer = await call(world, { ...declared, resource: resource.identifier, ...(await prepare()) });
  const requestId = requestIdOf(answer);
  const answered = answeredOf(answer);
  const row = { check, expected, answered, requestId };
  if (answered !== expected) return { ...row, result: 'failed', explanation: 'another answer than expected' };
  const records = await evidenceOf(world, requestId, (found) => found.length > 0);
  const types = records.map(({ type }) => type).join(', ');
  if (types === 'request.denied') return { ...row, result: 'passed', explanation: undefined };
  return { ...row, result: 'failed', explanation: `the evidence is ${types || 'missing'}` };
}

function planOf(world: ReadinessWorld, resource: ResourceConfiguration): Plan {
  const { configuration } = world;
  const operations = resource.operations ?? [];
  const readable = operations.filter(({ method }) => SAFE_METHODS.includes(method));
  const direct = readable.find(({ path }) => !/[{*]/.test(path));
  const allowed = resource.check ?? (direct === undefined ? undefined : { method: direct.method, path: direct.path });
  const operation = operationOf(resource, allowed) ?? direct ?? readable[0];
  const scopes = operation === undefined ? (resource.scopes ?? []) : (operation.scopes ?? []);
  const declared =
    allowed ??
    (operation === undefined
      ? { method: 'GET', path: '/' }
      : { method: operation.method, path: madeUp(operation.path) });
  const application = configuration.tokenService?.applications.find(({ grants }) =>
    grants.some(
      (grant) => grant.resource === resource.identifier && scopes.every((scope) => grant.scopes.includes(scope)),
    ),
  );
  return {
    world,
    resource,
    allowed,
    declared,
    scopes,
    application,
    obstacle: obstacleOf(configuration, resource, application),
  };
}

function obstacleOf(
  { tokenService, zone }: Configuration,
  resource: ResourceConfiguration,
  application: ApplicationConfiguration | undefined,
): string | undefined {
  if (tokenService === undefined) return 'there is no token service here to ask for a mandate';
  if ((resource.zone ?? zone) !== zone) return 'the resource is of another zone than the token service';
  const { session, delegation, chainContains } = resource.require ?? {};
  if (session === true || delegation === true || chainContains !== undefined) {
    return 'the resource requires a session or a delegation, which this command has none of';
  }
  if (application === undefined) return 'no application is granted all that the call needs';
  return undefined;
}

/** The declared operation a call is judged by, as far as a plain comparison can tell. */
function operationOf(
  { operations = [] }: ResourceConfiguration,
  call: { readonly method: string; readonly path: string } | undefined,
): NonNullable<ResourceConfiguration['operations']>[number] | undefined {
  if (call === undefined) return undefined;
  const path = call.path.replace(/\?.*$/, '');
  const matching = operations.filter(
    (operation) =>
      (operation.method === call.method || (call.method === 'HEAD' && operation.method === 'GET')) &&
      matches(operation.path, path),
  );
  // Fewest parameters first: near enough to the gateway's own order for what a check may ask.
  return matching.toSorted((a, b) => wildness(a.path) - wildness(b.path))[0];
}

function matches(template: string, path: string): boolean {
  const pattern = template
    .split('/')
    .map((segment) => (segment === '**' ? '.*' : /^\{.*\}$/.test(segment) ? '[^/]+' : escaped(segment)))
    .join('/');
  return new RegExp(`^${pattern}$`).test(path);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function wildness(template: string): number {
  return template
    .split('/')
    .reduce((sum, segment) => sum + (segment === '**' ? 100 : segment.startsWith('{') ? 1 : 0), 0);
}

function madeUp(template: string): string {
  return template.replace(/\/\*\*$/, '/caracal-check').replace(/\{[^}]*\}/g, 'caracal-check');
}

function mandateFor({ world, application, resource }: Plan, scopes: readonly string[]): Promise<string> {
  return world.mandate({ applicationId: application?.id ?? '', resource: resource.identifier, scopes });
}

function call({ configuration }: ReadinessWorld, { method, path, resource, mandate }: Call): Promise<LocalAnswer> {
  return localRequest(configuration.gateway, {
    method,
    path,
    headers: {
      'X-Caracal-Resource': resource,
      ...(mandate === undefined ? {} : { Authorization: `Bearer ${mandate}` }),
    },
  });
}

/** Waits for the records that are written just after the answer. */
async function evidenceOf(
  world: ReadinessWorld,
  requestId: string | undefined,
  isWhole: (records: readonly AuditRecord[]) => boolean,
): Promise<readonly AuditRecord[]> {
  if (requestId === undefined) return [];
  const deadline = performance.now() + EVIDENCE_TIMEOUT_MS;
  for (;;) {
    const records = await world.evidence(requestId);
    if (isWhole(records) || performance.now() > deadline) return records;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function sessionOf(mandate: string): string {
  const payload = JSON.parse(Buffer.from(mandate.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return String(payload.sid);
}

function codeOf({ headers }: LocalAnswer): string | undefined {
  const code = headers['x-caracal-error'];
  return typeof code === 'string' ? code : undefined;
}

function requestIdOf({ headers }: LocalAnswer): string | undefined {
  const requestId = headers['x-caracal-request-id'];
  return typeof requestId === 'string' ? requestId : undefined;
}

function answeredOf(answer: LocalAnswer): string {
  const code = codeOf(answer);
  return code === undefined ? `${answer.status}` : `${answer.status} ${code}`;
}

function skipped(check: string, expected: string, explanation: string | undefined): ReadinessRow {
  return { check, expected, answered: '', requestId: undefined, result: 'skipped', explanation };
}
