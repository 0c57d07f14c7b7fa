import { nearest } from '../nearest.js';
import { type LocatedProblem, problemAt } from '../structure.js';
import { type ListEntry, listMember, member, objectMember, textMember } from './loose.js';

/** What is named twice, and what is named and not there. */
export function nameProblems(input: unknown): LocatedProblem[] {
  const tokenService = objectMember(input, 'tokenService');
  const applications = listMember(tokenService, 'applications', ['tokenService']);
  const providers = listMember(input, 'providers');
  const resources = listMember(input, 'resources');
  const zone = textMember(input, 'zone') ?? 'default';
  const directory = member(objectMember(objectMember(input, 'stores'), 'postgres'), 'resources') === true;
  return [
    ...twice(providers, ({ value }) => textMember(value, 'id'), 'id'),
    ...twice(applications, ({ value }) => textMember(value, 'id'), 'id'),
    ...twice(
      listMember(objectMember(input, 'sealing'), 'keys', ['sealing']),
      ({ value }) => textMember(value, 'id'),
      'id',
    ),
    ...twice(listMember(input, 'issuers'), ({ value }) => textMember(value, 'issuer'), 'issuer'),
    // Zones are separate: the same identifier may stand in two of them.
    ...twice(resources, ({ value }) => inZone(value, zone), 'identifier'),
    ...resources.flatMap((resource) => dangling(resource, 'provider', ids(providers, 'id'), 'providers')),
    ...resources.flatMap((resource) =>
      tokenService === undefined
        ? []
        : dangling(resource, 'gatewayApplication', ids(applications, 'id'), 'tokenService.applications'),
    ),
    ...identityProblems(input, tokenService === undefined ? undefined : ids(applications, 'id')),
    ...applications.flatMap((application) => grantProblems(application, resources, { zone, directory })),
    ...applications.flatMap(proofProblems),
  ];
}

function inZone(resource: Record<string, unknown>, zone: string): string | undefined {
  const identifier = textMember(resource, 'identifier');
  return identifier === undefined ? undefined : JSON.stringify([textMember(resource, 'zone') ?? zone, identifier]);
}

/** Names that differ in case alone are one name to people, and two to every check. */
function twice(
  entries: readonly ListEntry[],
  nameOf: (entry: ListEntry) => string | undefined,
  at: string,
): LocatedProblem[] {
  const seen = new Map<string, ListEntry>();
  const problems: LocatedProblem[] = [];
  for (const entry of entries) {
    const name = nameOf(entry)?.toLowerCase();
    if (name === undefined) continue;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, entry);
    else {
      const exact = nameOf(first) === nameOf(entry);
      const fault = exact ? 'is listed twice' : 'differs from another one in case alone';
      problems.push(
        problemAt([...entry.steps, at], `${fault}; the other is number ${Number(first.steps.at(-1)) + 1}: rename one`),
      );
    }
  }
  return problems;
}

function ids(entries: readonly ListEntry[], name: string): readonly string[] {
  return entries.flatMap(({ value }) => textMember(value, name) ?? []);
}

function dangling({ value, steps }: ListEntry, name: string, known: readonly string[], list: string): LocatedProblem[] {
  const reference = textMember(value, name);
  if (reference === undefined || reference === '' || known.includes(reference)) return [];
  return [problemAt([...steps, name], `${notIn(list, reference, known)}`)];
}

function notIn(list: string, reference: string, known: readonly string[]): string {
  const meant = nearest(reference, known);
  const remedy = meant === undefined ? `add it there, or name one that is` : `did you mean ${meant}?`;
  return `is not among ${list}; ${remedy}`;
}

function identityProblems(input: unknown, applications: readonly string[] | undefined): LocatedProblem[] {
  const identity = objectMember(objectMember(input, 'gateway'), 'identity');
  if (identity === undefined) return [];
  if (applications === undefined) {
    return ['secret', 'tokenEndpoint'].flatMap((name) =>
      identity[name] === undefined
        ? [
            problemAt(
              ['gateway', 'identity', name],
              'is missing, and there is no token service in this process; give it',
            ),
          ]
        : [],
    );
  }
  return dangling(
    { value: identity, steps: ['gateway', 'identity'] },
    'application',
    applications,
    'tokenService.applications',
  );
}

function grantProblems(
  { value, steps }: ListEntry,
  resources: readonly ListEntry[],
  { zone, directory }: { readonly zone: string; readonly directory: boolean },
): LocatedProblem[] {
  const grants = listMember(value, 'grants', steps);
  // Mandates of the token service are for its own zone.
  const own = resources.filter((resource) => (textMember(resource.value, 'zone') ?? zone) === zone);
  return [
    ...twice(grants, (grant) => textMember(grant.value, 'resource'), 'resource'),
    ...grants.flatMap((grant) => [
      ...(directory && !differsInCase(grant, own)
        ? [] // it may be in the resource directory
        : dangling(grant, 'resource', ids(own, 'identifier'), 'resources')),
      ...scopeProblems(grant, own),
    ]),
  ];
}

function differsInCase(grant: ListEntry, resources: readonly ListEntry[]): boolean {
  const name = textMember(grant.value, 'resource')?.toLowerCase();
  return ids(resources, 'identifier').some((identifier) => identifier.toLowerCase() === name);
}

function scopeProblems({ value, steps }: ListEntry, resources: readonly ListEntry[]): LocatedProblem[] {
  const identifier = textMember(value, 'resource');
  const resource = resources.find((entry) => textMember(entry.value, 'identifier') === identifier);
  const known = member(resource?.value, 'scopes') ?? [];
  const scopes = member(value, 'scopes');
  if (resource === undefined || !Array.isArray(known) || !Array.isArray(scopes)) return [];
  return scopes.flatMap((scope: unknown, index) =>
    typeof scope !== 'string' || known.includes(scope)
      ? []
      : [problemAt([...steps, 'scopes', index], notIn(`the scopes of ${identifier}`, scope, known))],
  );
}

function proofProblems({ value, steps }: ListEntry): LocatedProblem[] {
  const proofs = ['secret', 'publicKeys'].filter((name) => member(value, name) !== undefined);
  if (proofs.length === 1) return [];
  const fault = proofs.length === 0 ? 'cannot prove who it is' : 'has two proofs';
  return [problemAt(steps, `${fault}; give either secret or publicKeys`)];
}
