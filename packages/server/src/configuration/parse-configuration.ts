import * as v from 'valibot';
import type { Configuration } from './configuration.js';
import { deepFreeze } from './freeze.js';
import { isObject } from './meaning/loose.js';
import { meaningProblems } from './meaning/meaning.js';
import { ConfigurationError, type ConfigurationProblem, type ProblemPath } from './problem.js';
import { resolvePaths } from './resolve-paths.js';
import { configurationSchema } from './schema.js';
import { type LocatedProblem, problemAt, structureProblems } from './structure.js';

/** Where an input comes from. */
export interface ParseOptions {
  /** What relative paths start from. Default: the working directory. */
  readonly baseDirectory?: string;
  /** The file, for messages. */
  readonly file?: string;
  /** The line of a place in the file. */
  readonly lineOf?: (steps: ProblemPath) => number | undefined;
}

/** Checks a configuration and fills in its defaults. @throws ConfigurationError with everything that is wrong with it */
export function parseConfiguration(input: unknown, options: ParseOptions = {}): Configuration {
  const problems = configurationProblems(input);
  if (problems.length > 0) throw new ConfigurationError(inOrder(problems, options.lineOf), options.file);
  // A copy: what is frozen is ours.
  const { $schema: _, ...configuration } = v.parse(configurationSchema, definedCopy(input));
  resolvePaths(configuration, options.baseDirectory ?? process.cwd());
  return deepFreeze(configuration as Configuration);
}

/** Everything that is wrong with a configuration; empty where nothing is. Looks at no secret, file or address. */
export function configurationProblems(input: unknown): readonly LocatedProblem[] {
  if (!isObject(input)) return [problemAt([], 'is no object; write the members of docs/configuration.md')];
  const structural = structureProblems(configurationSchema, input);
  return [...structural, ...meaningProblems(input, structural)];
}

// A module may say `publicUrl: undefined`, which is the same as leaving it out.
function definedCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(definedCopy);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([name, member]) => [name, definedCopy(member)]));
}

function inOrder(problems: readonly LocatedProblem[], lineOf: ParseOptions['lineOf']): readonly ConfigurationProblem[] {
  const lined = problems.map(({ steps, ...problem }) => {
    const line = lineOf?.(steps);
    return line === undefined ? problem : { ...problem, line };
  });
  return lined.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
