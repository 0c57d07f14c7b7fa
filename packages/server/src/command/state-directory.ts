import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type JournalReader, openJournalReader, StorageError } from '@caracal/file';
import type { Invocation, OptionSpecs } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { CONFIG_OR_DEV_OPTION, openConfiguration } from './configuration-option.js';

/** Where a gateway's state is: said by the configuration, or named outright. */
export const STATE_OPTIONS = {
  ...CONFIG_OR_DEV_OPTION,
  state: { type: 'string', value: 'DIRECTORY', help: 'the state directory, without reading a configuration' },
} as const satisfies OptionSpecs;

/** Evidence, open for reading, and where it lies. */
export interface OpenEvidence {
  readonly reader: JournalReader;
  readonly directory: string;
}

/** Opens the journal that options name. @throws CommandError */
export async function openEvidence(
  invocation: Pick<Invocation<typeof STATE_OPTIONS>, 'options' | 'cwd'>,
): Promise<OpenEvidence> {
  const directory = join(await stateDirectory(invocation), 'audit');
  if (!existsSync(directory))
    throw failed(`there is no evidence in ${directory}; no gateway has run with this state directory yet`);
  try {
    return { reader: await openJournalReader(directory), directory };
  } catch (cause) {
    throw cause instanceof StorageError ? failed(cause.message) : cause;
  }
}

async function stateDirectory({
  options,
  cwd,
}: Pick<Invocation<typeof STATE_OPTIONS>, 'options' | 'cwd'>): Promise<string> {
  if (options.state === undefined) {
    const { configuration } = await openConfiguration({ options, cwd }, { orDev: true });
    return configuration.stores.stateDirectory;
  }
  if (options.config !== undefined) throw wrongUse('--state and --config say the same thing twice; give one of them');
  return resolve(cwd, options.state);
}
