import type { ProblemPath } from '../problem.js';

/** An object of an input that may be anything: its own members, else nothing. */
export function member(input: unknown, name: string): unknown {
  return isObject(input) && Object.hasOwn(input, name) ? input[name] : undefined;
}

/** A member that is an object. */
export function objectMember(input: unknown, name: string): Record<string, unknown> | undefined {
  const value = member(input, name);
  return isObject(value) ? value : undefined;
}

/** A member that is a text. */
export function textMember(input: unknown, name: string): string | undefined {
  const value = member(input, name);
  return typeof value === 'string' ? value : undefined;
}

/** An entry of a list, with the steps that lead to it. */
export interface ListEntry {
  readonly value: Record<string, unknown>;
  readonly steps: ProblemPath;
}

/** The objects of a list, each with where it stands; empty for what is no list. */
export function listMember(input: unknown, name: string, before: ProblemPath = []): readonly ListEntry[] {
  const value = member(input, name);
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry, index) => (isObject(entry) ? [{ value: entry, steps: [...before, name, index] }] : []));
}

export function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}
