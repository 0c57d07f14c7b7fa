import { columns, wrapped } from './columns.js';
import type { Command, OptionSpec, OptionSpecs } from './command.js';
import { COMMON_OPTIONS } from './parse-options.js';

/** Widest line of help text. */
const WIDTH = 100;
/** Widest name that stands on the line of its help. */
const NAME_WIDTH = 26;

/** What is known of a command before it is loaded. */
export interface ListedCommand {
  readonly name: string;
  readonly summary: string;
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const { name, summary, arguments: positionals = [], details = [], examples = [] } = command;
  const options: OptionSpecs = { ...command.options, ...COMMON_OPTIONS };
  const sections = [
    `caracal ${name}: ${summary}`,
    usage(command),
    positionals.map((positional) => definition(positional.name, positional.help)).join('\n'),
    Object.entries(options)
      .map(([option, spec]) => definition(optionText(option, spec), spec.help))
      .join('\n'),
    ...details.map((paragraph) => wrapped(paragraph, WIDTH)),
    examples.length === 0 ? '' : ['Examples', ...examples.map((line) => `  ${line}`)].join('\n'),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** The help of `caracal` itself, or of a group such as `audit`. */
export function listHelp(commands: readonly ListedCommand[], group: string | undefined): string {
  const prefix = group === undefined ? 'caracal' : `caracal ${group}`;
  const rows = commands.map(({ name, summary }) => [`caracal ${name}`, summary]);
  const sections = [
    `${prefix}: ${group === undefined ? 'a gateway for the calls that software agents make to HTTP APIs' : 'one of these'}`,
    `usage: ${prefix} COMMAND [options]`,
    columns(rows, '  '),
    'caracal COMMAND --help tells more of each; caracal --version prints the version.',
    ...(group === undefined ? ['Exit status: 0 done, 1 failed, 2 wrong use or configuration.'] : []),
  ];
  return sections.join('\n\n');
}

function usage({ name, arguments: positionals = [], options }: Command): string {
  const words = positionals.map((positional) => (positional.optional ? `[${positional.name}]` : positional.name));
  const required = Object.entries(options).filter(([, spec]) => spec.required === true);
  words.push(...required.map(([option, spec]) => `${optionText(option, spec)}${spec.multiple ? '...' : ''}`));
  return ['usage: caracal', name, ...words, '[options]'].join(' ');
}

function optionText(option: string, { type, value, choices }: OptionSpec): string {
  return type === 'boolean' ? `--${option}` : `--${option} ${value ?? choices?.join('|') ?? 'VALUE'}`;
}

/** A name and what it means, aligned; a long name stands on a line of its own. */
function definition(name: string, help: string): string {
  const text = wrapped(help, WIDTH, ' '.repeat(NAME_WIDTH + 4));
  return name.length > NAME_WIDTH ? `  ${name}\n${text}` : `  ${name.padEnd(NAME_WIDTH)}  ${text.trimStart()}`;
}
