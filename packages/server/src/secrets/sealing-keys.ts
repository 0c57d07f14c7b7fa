import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSealingKey, type SealingKey, Secret, sealedSecretStore } from '@caracal/core';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError, type ConfigurationProblem } from '../configuration/problem.js';
import { readReference, SecretUnavailableError } from './read-reference.js';

/** The generated key, in the state directory. */
export const SEALING_KEY_FILE = 'sealing-key';
/** Id of the generated key. */
export const GENERATED_KEY_ID = 'generated';

/** The keys that seal and open; the first seals. */
export interface SealingKeys {
  readonly keys: readonly SealingKey[];
  /** Whether it lies beside what it seals, in the state directory. */
  readonly generated: boolean;
}

/**
 * The sealing keys of a configuration: its own, else one generated (0600) in the state directory.
 *
 * @throws ConfigurationError where one cannot be had, or is no key
 */
export async function loadSealingKeys(
  { sealing, stores }: Configuration,
  environment: NodeJS.ProcessEnv,
): Promise<SealingKeys> {
  if (sealing === undefined) {
    const key = await generatedKey(stores.stateDirectory);
    return { keys: [{ id: GENERATED_KEY_ID, key }], generated: true };
  }
  const keys: SealingKey[] = [];
  const problems: ConfigurationProblem[] = [];
  for (const [index, { id, key }] of sealing.keys.entries()) {
    const path = `sealing.keys[${index}].key`;
    try {
      const read = { id, key: await readReference(key, environment) };
      sealedSecretStore({ keys: [read] }); // says whether it is a key
      keys.push(read);
    } catch (cause) {
      problems.push({ path, ...faultOf(cause) });
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { keys, generated: false };
}

/** Whether a key has been generated in the state directory. */
export async function hasGeneratedKey({ stores }: Configuration): Promise<boolean> {
  return (await readText(join(stores.stateDirectory, SEALING_KEY_FILE))) !== undefined;
}

function faultOf(cause: unknown) {
  if (cause instanceof SecretUnavailableError) return { fault: cause.fault, remedy: cause.remedy };
  if (!(cause instanceof TypeError)) throw cause;
  return {
    fault: 'is no sealing key',
    remedy: 'give base64url of 32 random bytes: openssl rand 32 | basenc --base64url -w0',
  };
}

async function generatedKey(directory: string): Promise<Secret> {
  const path = join(directory, SEALING_KEY_FILE);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const draft = join(directory, `.${SEALING_KEY_FILE}.${randomUUID()}`);
  const known = await readText(path);
  if (known !== undefined) return new Secret(known);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${generateSealingKey().reveal()}\n`);
    await file.sync();
    // `link` fails where somebody else was quicker: then theirs is the key.
    await link(draft, path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause;
    });
  } finally {
    await file.close();
    await unlink(draft);
  }
  return new Secret((await readText(path))!);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
