import {
  defineResource,
  memoryResourceDirectory,
  noCredential,
  type Provider,
  type ResourceDefinition,
  type SecretStore,
} from '@caracal/core';
import { checkingEnvironment, type OAuthEnvironment } from '../../providers/oauth-environment.js';
import { makeProvider } from '../../providers/provider-kinds.js';
import type { ProviderConfiguration } from '../configuration.js';
import type { ProblemPath } from '../problem.js';
import { type LocatedProblem, problemAt } from '../structure.js';
import { isObject, type ListEntry, listMember, textMember } from './loose.js';

/** Opens nothing: what is checked here is where a secret goes, not what it is. */
const NO_SECRETS: SecretStore = Object.freeze({
  open: () => {
    throw new TypeError('no secret is opened while a configuration is checked');
  },
});
const MOST_FAULTS_OF_ONE = 50;

/**
 * What core says of providers and resources, member by member. `faulty` tells what is wrong already: that is left out, so
 * that the rest is judged all the same.
 */
export function resourceProblems(input: unknown, faulty: (steps: ProblemPath) => boolean): LocatedProblem[] {
  const { definitions, problems } = checkedResources(input, faulty);
  return problems.length > 0 ? problems : togetherProblems(definitions);
}

/** Providers and resources as core takes them, with secrets that do not open: for checking what stands beside them. */
export interface CheckedResources {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly definitions: readonly ResourceDefinition[];
  readonly problems: LocatedProblem[];
}

/** See {@link CheckedResources}. What is faulty already is left out. */
export function checkedResources(
  input: unknown,
  faulty: (steps: ProblemPath) => boolean = () => false,
): CheckedResources {
  const problems: LocatedProblem[] = [];
  const providers = new Map<string, Provider>();
  const oauth = checkingEnvironment();
  for (const entry of listMember(input, 'providers')) {
    if (faulty(entry.steps)) continue;
    const provider = checkedProvider(entry, oauth, problems);
    if (provider !== undefined) providers.set(provider.id, provider);
  }
  const zone = textMember(input, 'zone') ?? 'default';
  const definitions: ResourceDefinition[] = [];
  for (const entry of listMember(input, 'resources')) {
    const definition = checkedResource(entry, { providers, zone, faulty, problems });
    if (definition !== undefined) definitions.push(definition);
  }
  return { providers, definitions, problems };
}

function checkedProvider(
  { value, steps }: ListEntry,
  oauth: OAuthEnvironment,
  problems: LocatedProblem[],
): Provider | undefined {
  try {
    return makeProvider(value as unknown as ProviderConfiguration, { secrets: NO_SECRETS, oauth });
  } catch (cause) {
    problems.push(located(steps, textOf(cause).replace(/^\w+: /, '')));
    return undefined;
  }
}

interface Surroundings {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly zone: string;
  readonly faulty: (steps: ProblemPath) => boolean;
  readonly problems: LocatedProblem[];
}

/** Takes out what is wrong, one member after another, until core has nothing more to say. */
function checkedResource({ value, steps }: ListEntry, around: Surroundings): ResourceDefinition | undefined {
  const { providers, zone, faulty, problems } = around;
  const before = problems.length;
  const candidate: Record<string, unknown> = { zone };
  for (const [name, member] of Object.entries(value)) {
    if (name !== 'operations' && faulty([...steps, name])) continue;
    candidate[name] = name === 'tls' && isObject(member) ? placeholders(member) : member;
  }
  const named = providers.get(String(value.provider));
  candidate.provider = named ?? noCredential();
  candidate.identifier ??= 'resource://without-identifier';
  // Judged by what the credential needs only where the provider is known.
  if (value.provider !== undefined && named === undefined) delete candidate.upstreamUrl;
  const operations = Array.isArray(candidate.operations)
    ? candidate.operations.map((operation: unknown, index) => ({ operation, index }))
    : [];
  let left = operations.filter(({ index }) => !faulty([...steps, 'operations', index]));
  for (let faults = 0; faults < MOST_FAULTS_OF_ONE; faults++) {
    const definition = { ...candidate, operations: left.map(({ operation }) => operation) };
    if (!Array.isArray(candidate.operations)) delete (definition as { operations?: unknown }).operations;
    try {
      defineResource(definition as unknown as ResourceDefinition);
      return problems.length === before && !faulty(steps) ? (definition as unknown as ResourceDefinition) : undefined;
    } catch (cause) {
      const text = textOf((cause as Error).cause ?? cause);
      const [, index] = /^operations\.(\d+)/.exec(text) ?? [];
      if (index !== undefined) {
        const removed = left[Number(index)];
        problems.push(located(steps, text.replace(`operations.${index}`, `operations.${removed?.index}`)));
        left = left.filter((operation) => operation !== removed);
        continue;
      }
      problems.push(located(steps, text));
      const [, name] = /^([A-Za-z]+)[.:]/.exec(text) ?? [];
      if (name === undefined || !Object.hasOwn(candidate, name) || name === 'identifier') return undefined;
      if (name === 'provider') candidate.provider = noCredential();
      else delete candidate[name];
    }
  }
  return undefined;
}

// References stand where core takes texts.
function placeholders(tls: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(tls).map(([name, value]) => [
      name,
      name === 'serverName' || value === undefined ? value : 'kept elsewhere',
    ]),
  );
}

function togetherProblems(definitions: readonly ResourceDefinition[]): LocatedProblem[] {
  try {
    memoryResourceDirectory(definitions);
    return [];
  } catch (cause) {
    return [located(['resources'], textOf(cause))];
  }
}

/** Core writes `member.path: what is wrong, or what to do`. */
function located(steps: ProblemPath, text: string): LocatedProblem {
  const [, path, rest] = /^([A-Za-z]\w*(?:\.[\w]+)*): ([\s\S]*)$/.exec(text) ?? [undefined, undefined, text];
  const below = path === undefined ? [] : path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return problemAt([...steps, ...below], rest!);
}

function textOf(cause: unknown): string {
  if (cause instanceof TypeError) return cause.message;
  throw cause;
}
