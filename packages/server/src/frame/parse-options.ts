import { parseArgs } from 'node:util';
import type { Command, OptionSpecs } from './command.js';
import { wrongUse } from './command-error.js';
import { nearName } from './near-name.js';

/** Options every command takes. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean', help: 'one JSON object a line, errors too' },
  help: { type: 'boolean', help: 'print this' },
} as const satisfies OptionSpecs;

/** What was typed behind a command's name. */
export interface Parsed {
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly arguments: readonly string[];
}

/**
 * Parses what stands behind a command's name. Stricter than `parseArgs` alone: an option that is given twice has two
 * meanings, and a value that begins with a dash is most often one that was forgotten.
 *
 * @throws CommandError with every fault at once
 */
export function parseOptions(command: Command, args: readonly string[]): Parsed {
  const specs: OptionSpecs = { ...command.options, ...COMMON_OPTIONS };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(specs).map(([name, { type }]) => [name, { type }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const faults: string[] = [];
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined || !token.rawName.startsWith('--')) {
      faults.push(unknownOption(token.rawName, Object.keys(specs)));
      continue;
    }
    const fault = valueFault(token.rawName, spec, token.value, token.inlineValue);
    if (fault !== undefined) faults.push(fault);
    const values = given.get(token.name) ?? [];
    if (values.length > 0 && spec.multiple !== true) faults.push(`${token.rawName} is given twice; once is enough`);
    given.set(token.name, [...values, token.value ?? '']);
  }
  // Who asks for help gets it, whatever else is missing; and what stands behind an unknown option may be its value.
  if (faults.length === 0 && !given.has('help')) faults.push(...missing(command, given, positionals));
  if (faults.length > 0) throw wrongUse(...faults, `see: caracal ${command.name} --help`);
  return { options: valuesOf(specs, given), arguments: positionals };
}

function unknownOption(rawName: string, known: readonly string[]): string {
  const near = nearName(rawName.replace(/^-+/, ''), known);
  return `unknown option ${rawName}${near === undefined ? '' : `; did you mean --${near}?`}`;
}

function valueFault(
  rawName: string,
  { type, value: placeholder = 'VALUE', choices }: OptionSpecs[string],
  value: string | undefined,
  inline: boolean | undefined,
): string | undefined {
  if (type === 'boolean') return value === undefined ? undefined : `${rawName} takes no value`;
  if (value === undefined) return `${rawName} needs a value: ${rawName} ${placeholder}`;
  // A lone dash is standard input.
  if (inline === false && value.startsWith('-') && value !== '-') {
    return `${rawName} needs a value; one that begins with a dash is written ${rawName}=${value}`;
  }
  if (value === '') return `${rawName} is empty`;
  if (choices !== undefined && !choices.includes(value)) {
    const near = nearName(value, choices);
    return `${rawName} is one of ${choices.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`;
  }
  return undefined;
}

function missing(command: Command, given: ReadonlyMap<string, unknown>, positionals: readonly string[]): string[] {
  const specs = command.arguments ?? [];
  const faults = Object.entries(command.options)
    .filter(([name, { required }]) => required === true && !given.has(name))
    .map(([name, { value = 'VALUE', help }]) => `--${name} ${value} is missing: ${help}`);
  for (const { name, help } of specs.slice(positionals.length).filter(({ optional }) => optional !== true)) {
    faults.push(`${name} is missing: ${help}`);
  }
  const [stray] = positionals.slice(specs.length);
  if (stray !== undefined) faults.push(`${stray} is one argument too many`);
  return faults;
}

function valuesOf(specs: OptionSpecs, given: ReadonlyMap<string, readonly string[]>): Parsed['options'] {
  const entries = Object.entries(specs).map(([name, { type, multiple }]) => {
    const values = given.get(name);
    if (type === 'boolean') return [name, values !== undefined];
    return [name, multiple === true ? (values ?? []) : values?.[0]];
  });
  return Object.fromEntries(entries);
}
