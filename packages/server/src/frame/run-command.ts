import type { Command, Invocation } from './command.js';
import { CommandError, wrongUse } from './command-error.js';
import { commandHelp, type ListedCommand, listHelp } from './help.js';
import { nearName } from './near-name.js';
import { Output } from './output.js';
import { parseOptions } from './parse-options.js';
import { knownSystemFault } from './system-fault.js';

/** A command in the list, loaded when it is run. */
export interface CommandEntry extends ListedCommand {
  load(): Promise<Command>;
}

/** The process around a command. */
export interface CommandProcess {
  readonly args: readonly string[];
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly version: string;
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/**
 * Runs one command line: finds the command, parses its options, and turns what comes of it into text and an exit status.
 * Never rejects.
 */
export async function runCommand(commands: readonly CommandEntry[], process: CommandProcess): Promise<number> {
  const json = process.args.includes('--json');
  const output = new Output(process.stdout, process.stderr, json);
  const ended = new AbortController();
  // The reader of a pipe may go at any time; that is no error of ours, and no reason for a stack trace.
  process.stdout.on('error', () => {
    output.close();
    ended.abort();
  });
  process.stderr.on('error', () => {});
  try {
    return await dispatch(commands, process, output, ended);
  } catch (error) {
    output.faults(error instanceof CommandError ? error.faults : ourFault(error, process.env));
    return error instanceof CommandError ? error.exitCode : 1;
  }
}

async function dispatch(
  commands: readonly CommandEntry[],
  process: CommandProcess,
  output: Output,
  ended: AbortController,
): Promise<number> {
  const { args } = process;
  if (args[0] === '--version') {
    await output.tell(process.version, { version: process.version });
    return 0;
  }
  if (args[0] === 'help') return dispatch(commands, { ...process, args: [...args.slice(1), '--help'] }, output, ended);
  const [first = '', second = ''] = args;
  const grouped = commands.find(({ name }) => name === `${first} ${second}`);
  const entry = grouped ?? commands.find(({ name }) => name === first);
  if (entry === undefined) return listing(commands, args, output);
  const command = await entry.load();
  const parsed = parseOptions(command, args.slice(grouped === undefined ? 1 : 2));
  if (parsed.options.help === true) {
    await output.raw(`${commandHelp(command)}\n`);
    return 0;
  }
  const release = command.endsOnSignal === true ? abortOnSignal(process, ended) : undefined;
  try {
    const { stdin, env, cwd } = process;
    return await command.run({ ...parsed, output, stdin, env, cwd, signal: ended.signal } as Invocation);
  } finally {
    release?.();
  }
}

async function listing(commands: readonly CommandEntry[], args: readonly string[], output: Output): Promise<number> {
  const [first] = args;
  const group = commands.some(({ name }) => name.startsWith(`${first} `)) ? first : undefined;
  const listed = group === undefined ? commands : commands.filter(({ name }) => name.startsWith(`${group} `));
  const rest = args.slice(group === undefined ? 0 : 1).filter((arg) => arg !== '--json');
  if (rest[0] === '--help' && rest.length === 1) {
    await output.raw(`${listHelp(listed, group)}\n`);
    return 0;
  }
  const prefix = group === undefined ? 'caracal' : `caracal ${group}`;
  if (rest[0] === undefined) throw wrongUse(`a command is missing; see: ${prefix} --help`);
  const kind = rest[0].startsWith('-') ? 'option' : 'command';
  const known =
    kind === 'option'
      ? ['--help', '--version']
      : listed.flatMap(({ name }) =>
          group === undefined ? [name, name.split(' ')[0]!] : [name.slice(group.length + 1)],
        );
  const near = nearName(rest[0], known);
  const suggestion = near === undefined ? '' : `; did you mean ${kind === 'option' ? near : `${prefix} ${near}`}?`;
  throw wrongUse(`unknown ${kind} ${rest[0]}${suggestion}`, `see: ${prefix} --help`);
}

// The first signal asks, the second one ends the process as it would without us.
function abortOnSignal(process: CommandProcess, ended: AbortController): () => void {
  const abort = () => {
    release();
    ended.abort();
  };
  const release = () => {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  };
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  return release;
}

// What a library says may hold anything; what is known of a system's error is worth telling.
function ourFault(error: unknown, env: NodeJS.ProcessEnv): readonly string[] {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const fault = `${name}: ${message}`;
  const known = env.CARACAL_DEBUG === undefined ? knownSystemFault(error) : undefined;
  if (known !== undefined) return [known];
  return env.CARACAL_DEBUG === undefined
    ? [fault, 'this should have been a better message; CARACAL_DEBUG=1 shows where it comes from']
    : [fault, ...(stack ?? '').split('\n').slice(1)];
}
