/** One thing that is wrong with a configuration. No part of it quotes a value that could be a secret. */
export interface ConfigurationProblem {
  /** Where: `resources[0].operations[1].path`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong. */
  readonly fault: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Line of the file, from 1, where that is known. */
  readonly line?: number;
}

/** A configuration that cannot be used: everything that is wrong with it, at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly code = 'configuration_invalid';
  readonly problems: readonly ConfigurationProblem[];
  /** The file; `undefined` for an object. */
  readonly file: string | undefined;

  constructor(problems: readonly ConfigurationProblem[], file?: string) {
    super(problems.map((problem) => problemLine(problem, file)).join('\n'));
    this.problems = problems;
    this.file = file;
  }
}

/** One problem as one line: `caracal.json:12: resources[0].scopes: fault; remedy`. */
export function problemLine({ path, fault, remedy, line }: ConfigurationProblem, file?: string): string {
  const place = [file === undefined ? undefined : line === undefined ? file : `${file}:${line}`, path || undefined];
  return [...place.filter((part) => part !== undefined), `${fault}; ${remedy}`].join(': ');
}

/** Steps into a configuration. */
export type ProblemPath = readonly (string | number)[];

/** The path as text. */
export function pathText(path: ProblemPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[$A-Za-z_][$\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step.slice(0, 64))}]`;
  }
  return text;
}
