import type { Output } from './output.js';

/** An option of a command: how it is parsed, and what help says of it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** What stands for its value in help, such as `FILE`. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** The only values it takes. */
  readonly choices?: readonly string[];
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What stands behind a command's name without a dash. */
export interface ArgumentSpec {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
}

type ValueOf<S extends OptionSpec> = S['type'] extends 'boolean'
  ? boolean
  : S['multiple'] extends true
    ? readonly string[]
    : S['required'] extends true
      ? string
      : string | undefined;

/** Options as a command gets them: flags are booleans, what was not given is `undefined`, or empty where it may be repeated. */
export type OptionValues<O extends OptionSpecs> = { readonly [K in keyof O]: ValueOf<O[K]> };

/** What a command runs with. */
export interface Invocation<O extends OptionSpecs = OptionSpecs> {
  readonly options: OptionValues<O>;
  readonly arguments: readonly string[];
  readonly output: Output;
  readonly stdin: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  /** Paths in options and the search for a configuration start here. */
  readonly cwd: string;
  /** Aborts on SIGINT, SIGTERM, and when nobody reads standard output any more. Only for commands that follow or serve. */
  readonly signal: AbortSignal;
}

/** One command of `caracal`. */
export interface Command<O extends OptionSpecs = OptionSpecs> {
  /** As it is typed: `audit query`. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options: O;
  /** Paragraphs below the options. */
  readonly details?: readonly string[];
  /** Command lines to copy. */
  readonly examples?: readonly string[];
  /** Ends when it is told to (`signal`): a signal is then no failure. Default: it runs to its end, and a signal kills it. */
  readonly endsOnSignal?: boolean;
  /** @returns the exit status: 0 done, 1 failed. @throws CommandError; anything else counts as a fault of ours */
  run(invocation: Invocation<O>): Promise<number>;
}

/** A command, its option values typed by its option specs. */
export function defineCommand<const O extends OptionSpecs>(command: Command<O>): Command<O> {
  return Object.freeze(command);
}
