import { describe, expect, it } from 'vitest';
import { defineCommand } from './command.js';
import { CommandError, messageOf } from './command-error.js';
import { parseOptions } from './parse-options.js';

const command = defineCommand({
  name: 'audit query',
  summary: 'a command to parse for',
  arguments: [{ name: 'ID', help: 'which one' }],
  options: {
    config: { type: 'string', value: 'FILE', help: 'the configuration', required: true },
    scope: { type: 'string', help: 'what for', multiple: true },
    lift: { type: 'boolean', help: 'undo' },
    format: { type: 'string', help: 'how', choices: ['csv', 'ndjson'] },
  },
  run: async () => 0,
});

function faultsOf(...args: string[]): readonly string[] {
  try {
    parseOptions(command, args);
  } catch (error) {
    if (error instanceof CommandError) return error.faults.slice(0, -1).map(messageOf);
    throw error;
  }
  return [];
}

describe('parseOptions', () => {
  it('answers every option by its kind', () => {
    const { options, arguments: positionals } = parseOptions(command, [
      ...['a', '--config=f', '--scope', 'x', '--scope', 'y', '--lift'],
    ]);
    expect(options).toEqual({
      config: 'f',
      scope: ['x', 'y'],
      lift: true,
      format: undefined,
      json: false,
      help: false,
    });
    expect(positionals).toEqual(['a']);
  });

  it('takes a lone dash, and a value with a dash where it is joined', () => {
    expect(parseOptions(command, ['-', '--config', '-']).options.config).toBe('-');
    expect(parseOptions(command, ['a', '--config=-x']).options.config).toBe('-x');
  });

  it('takes what stands behind two dashes as arguments', () => {
    expect(parseOptions(command, ['--config', 'f', '--', '--lift']).arguments).toEqual(['--lift']);
  });

  it.each([
    [['a', '--config', 'f', '--scop', 'x'], ['unknown option --scop; did you mean --scope?']],
    [['a', '--config', 'f', '-x'], ['unknown option -x']],
    [['a', '--config', 'f', '--constructor'], ['unknown option --constructor']],
    [['a', '--config', 'f', '--__proto__'], ['unknown option --__proto__']],
    [['a', '--config', 'f', '--config', 'g'], ['--config is given twice; once is enough']],
    [['a', '--config', '--lift'], ['--config needs a value; one that begins with a dash is written --config=--lift']],
    [['a', '--config'], ['--config needs a value: --config FILE']],
    [['a', '--config='], ['--config is empty']],
    [['a', '--config=f', '--lift=no'], ['--lift takes no value']],
    [['a', '--config=f', '--format', 'csb'], ['--format is one of csv, ndjson; did you mean csv?']],
    [['--lift'], ['--config FILE is missing: the configuration', 'ID is missing: which one']],
  ])('%j: %j', (args, faults) => {
    expect(faultsOf(...args)).toEqual(faults);
  });

  it('asks for nothing else where help is wanted', () => {
    expect(parseOptions(command, ['--help']).options.help).toBe(true);
  });
});
