import * as v from 'valibot';
import { nearest } from './nearest.js';
import { type ConfigurationProblem, type ProblemPath, pathText } from './problem.js';

/** A problem that still knows its steps, so that its line can be found. */
export interface LocatedProblem extends ConfigurationProblem {
  readonly steps: ProblemPath;
}

/** Makes a problem of a text `fault; remedy`. */
export function problemAt(steps: ProblemPath, faultAndRemedy: string): LocatedProblem {
  const cut = faultAndRemedy.indexOf('; ');
  const fault = cut === -1 ? faultAndRemedy : faultAndRemedy.slice(0, cut);
  const remedy = cut === -1 ? 'correct it; docs/configuration.md says what it takes' : faultAndRemedy.slice(cut + 2);
  return { steps, path: pathText(steps), fault, remedy };
}

/** What is wrong with the structure of an input: every fault, unknown keys with a suggestion. Quotes no value. */
export function structureProblems(schema: v.GenericSchema, input: unknown): LocatedProblem[] {
  const { issues = [] } = v.safeParse(schema, input);
  const problems = issues.filter((issue) => !isUnknownKey(issue)).map(problemOf);
  unknownKeys(schema as Shape, input, [], problems);
  return problems;
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  // Valibot tells of the first one only; they are looked for below.
  return issue.type === 'strict_object' && issue.expected === 'never';
}

function problemOf(issue: v.BaseIssue<unknown>): LocatedProblem {
  const steps = (issue.path ?? []).map(({ key }) => key as string | number);
  if (issue.input === undefined) return problemAt(steps, 'is missing; add it');
  return problemAt(steps, ownMessage(issue) ?? `is ${kindOf(issue.input)}; give ${expectedKind(issue.expected)}`);
}

// Valibot's own texts quote what they received, which may be a secret in the wrong place.
function ownMessage({ message }: v.BaseIssue<unknown>): string | undefined {
  return message.startsWith('Invalid ') ? undefined : message;
}

function kindOf(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'an object';
  return input === '' ? 'empty' : `a ${typeof input}`;
}

function expectedKind(expected: string | null): string {
  const kinds: Record<string, string> = { Array: 'a list', Object: 'an object', string: 'a text' };
  if (expected === null) return 'what docs/configuration.md says';
  return kinds[expected] ?? expected.replaceAll('"', '');
}

/** The parts of a schema that are walked; a pipe keeps those of what it begins with. */
interface Shape {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly item?: Shape;
  readonly wrapped?: Shape;
  readonly options?: readonly Shape[];
  readonly key?: string;
  readonly literal?: unknown;
}

function unknownKeys(shape: Shape, input: unknown, steps: ProblemPath, problems: LocatedProblem[]): void {
  if (shape.wrapped !== undefined) return unknownKeys(shape.wrapped, input, steps, problems);
  if (shape.type === 'array' && shape.item !== undefined && Array.isArray(input)) {
    const { item } = shape;
    for (const [index, entry] of input.entries()) unknownKeys(item, entry, [...steps, index], problems);
    return;
  }
  if (!isObject(input)) {
    // To valibot a list is an object like any other, and one without members has no fault.
    const takesObject = shape.type === 'strict_object' || shape.type === 'variant';
    if (takesObject && Array.isArray(input)) problems.push(problemAt(steps, 'is a list; give an object'));
    return;
  }
  if (shape.type === 'variant') {
    const chosen = shape.options?.find(({ entries }) => entries?.[shape.key ?? '']?.literal === own(input, shape.key));
    if (chosen !== undefined) unknownKeys(chosen, input, steps, problems);
    return;
  }
  if (shape.type !== 'strict_object' || shape.entries === undefined) return;
  const { entries } = shape;
  for (const key of Object.keys(input)) {
    if (Object.hasOwn(entries, key)) unknownKeys(entries[key]!, input[key], [...steps, key], problems);
    else problems.push(unknownKey([...steps, key], key, entries));
  }
}

function unknownKey(steps: ProblemPath, key: string, entries: Readonly<Record<string, Shape>>): LocatedProblem {
  const known = Object.keys(entries);
  const meant = nearest(key, known);
  return problemAt(
    steps,
    `is not known; ${meant === undefined ? `remove it (known are ${known.join(', ')})` : `did you mean ${meant}?`}`,
  );
}

function own(input: Record<string, unknown>, key: string | undefined): unknown {
  return key !== undefined && Object.hasOwn(input, key) ? input[key] : undefined;
}

function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}
