import { Secret } from '@caracal/core';
import { FileRefusedError, readBoundedFile } from '../read-bounded-file.js';

/** Largest secret in a file, bytes. */
export const MAX_SECRET_FILE_BYTES = 64 * 1024;

/** Why a secret cannot be had: fixed text, never its value. */
export class SecretUnavailableError extends Error {
  override readonly name = 'SecretUnavailableError';
  readonly fault: string;
  readonly remedy: string;

  constructor(fault: string, remedy: string) {
    super(`${fault}; ${remedy}`);
    this.fault = fault;
    this.remedy = remedy;
  }
}

/** Where a secret that is not sealed is kept. */
export type PlainReference = { readonly env: string } | { readonly file: string };

/** Reads a secret from where it is kept, now. @throws SecretUnavailableError */
export async function readReference(
  reference: PlainReference,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Secret> {
  return 'env' in reference ? secretOfEnvironment(reference.env, environment) : await secretOfFile(reference.file);
}

/** @throws SecretUnavailableError where the variable is not set, or empty */
export function secretOfEnvironment(name: string, environment: NodeJS.ProcessEnv): Secret {
  const value = environment[name];
  if (value === undefined || value === '') {
    const fault = `is kept in the environment variable ${name}, which is ${value === '' ? 'empty' : 'not set'}`;
    throw new SecretUnavailableError(fault, 'set it before the start');
  }
  return new Secret(value);
}

/** One line feed at the end belongs to the file, not to the secret. @throws SecretUnavailableError */
export async function secretOfFile(path: string): Promise<Secret> {
  let bytes: Buffer;
  try {
    bytes = await readBoundedFile(path, MAX_SECRET_FILE_BYTES);
  } catch (cause) {
    if (cause instanceof FileRefusedError) {
      const fault = cause.code === 'EFBIG' ? 'is too large' : 'is no regular file';
      throw new SecretUnavailableError(`is kept in ${path}, which ${fault}`, 'name the file of the secret alone');
    }
    const code = (cause as NodeJS.ErrnoException).code;
    const fault = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
    throw new SecretUnavailableError(
      `is kept in ${path}, which ${fault}`,
      'put it there, readable by this process alone',
    );
  }
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (text === '') throw new SecretUnavailableError(`is kept in ${path}, which is empty`, 'put the secret there');
  return new Secret(text);
}
