import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findConfiguration } from '../configuration/find-configuration.js';
import { type LoadedConfiguration, loadConfiguration } from '../configuration/load-configuration.js';
import { ConfigurationError, problemLine } from '../configuration/problem.js';
import type { Invocation, OptionSpecs } from '../frame/command.js';
import { CommandError } from '../frame/command-error.js';

/** The configuration, for commands that read one. */
export const CONFIG_OPTION = {
  config: {
    type: 'string',
    value: 'FILE',
    help: 'the configuration; default caracal.config.* in this directory',
  },
} as const satisfies OptionSpecs;

/** The same, for commands that work with what `caracal dev` runs as well. */
export const CONFIG_OR_DEV_OPTION = {
  config: {
    type: 'string',
    value: 'FILE',
    help: 'the configuration; default caracal.config.* in this directory, else that of caracal dev',
  },
} as const satisfies OptionSpecs;

/** Where `caracal dev` leaves its configuration, for other commands in the same directory. */
export function devConfigurationPath(directory: string): string {
  return join(directory, '.caracal', 'dev', 'caracal.config.json');
}

/** Loads the configuration that `--config` names, or the one that is found. @throws CommandError (2) with every problem */
export async function openConfiguration(
  { options, cwd }: Pick<Invocation<typeof CONFIG_OPTION>, 'options' | 'cwd'>,
  { orDev = false } = {},
): Promise<LoadedConfiguration> {
  try {
    return await loadConfiguration(await configurationFile(options.config, cwd, orDev), { directory: cwd });
  } catch (cause) {
    throw cause instanceof ConfigurationError ? configurationFault(cause) : cause;
  }
}

async function configurationFile(given: string | undefined, cwd: string, orDev: boolean): Promise<string> {
  if (given !== undefined) return resolve(cwd, given);
  try {
    return await findConfiguration(cwd);
  } catch (cause) {
    const dev = devConfigurationPath(cwd);
    if (orDev && existsSync(dev)) return dev;
    throw cause;
  }
}

/** Every problem of a configuration, a line each. */
export function configurationFault({ problems, file }: ConfigurationError): CommandError {
  return new CommandError(
    2,
    problems.map((problem) => ({ message: problemLine(problem, file), file, ...problem })),
  );
}
