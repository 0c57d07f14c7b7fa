import { createHash } from 'node:crypto';
import { dirname, extname, resolve } from 'node:path';
import { FileRefusedError, readBoundedFile } from '../read-bounded-file.js';
import type { Configuration } from './configuration.js';
import { evaluateModule } from './evaluate-module.js';
import { findConfiguration } from './find-configuration.js';
import { parseConfiguration } from './parse-configuration.js';
import { ConfigurationError } from './problem.js';
import { readSourceText } from './source-text.js';

/** A configuration and where it came from. */
export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** Absolute path of the file; `undefined` for an object. */
  readonly file: string | undefined;
  /** Changes with what the configuration says: 12 hex digits. */
  readonly version: string;
}

/** Largest configuration file, bytes. */
export const MAX_CONFIGURATION_BYTES = 16 * 1024 * 1024;

const FORMATS: Readonly<Record<string, 'json' | 'yaml' | 'module'>> = {
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.js': 'module',
  '.mjs': 'module',
  '.cjs': 'module',
  '.ts': 'module',
  '.mts': 'module',
};

/**
 * Loads a configuration: the file of this path, else `caracal.config.*` in `directory` (default: the working directory).
 *
 * @throws ConfigurationError with everything that is wrong with it, with lines where the file has them
 */
export async function loadConfiguration(
  file?: string,
  { directory = process.cwd() }: { readonly directory?: string } = {},
): Promise<LoadedConfiguration> {
  const path = file === undefined ? await findConfiguration(directory) : resolve(directory, file);
  const format = FORMATS[extname(path).toLowerCase()];
  if (format === undefined) {
    const remedy = `name it one of ${Object.keys(FORMATS).join(' ')}`;
    throw new ConfigurationError([{ path: '', fault: 'has an ending that says no format', remedy }], path);
  }
  const text = await readText(path);
  const source =
    format === 'module'
      ? { input: await evaluateModule(path), lineOf: undefined }
      : await readSourceText(text, format, path);
  const { input, lineOf } = source;
  return loaded(
    parseConfiguration(input, {
      baseDirectory: dirname(path),
      file: path,
      ...(lineOf === undefined ? {} : { lineOf }),
    }),
    path,
  );
}

/** A configuration that is an object already. @throws ConfigurationError */
export function configurationOf(input: unknown, baseDirectory?: string): LoadedConfiguration {
  return loaded(parseConfiguration(input, baseDirectory === undefined ? {} : { baseDirectory }), undefined);
}

function loaded(configuration: Configuration, file: string | undefined): LoadedConfiguration {
  const version = createHash('sha256').update(JSON.stringify(configuration)).digest('hex').slice(0, 12);
  return Object.freeze({ configuration, file, version });
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readBoundedFile(path, MAX_CONFIGURATION_BYTES);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError(
      [{ path: '', fault: faultOf(cause), remedy: 'name another with --config, or correct that' }],
      path,
    );
  }
}

function faultOf(cause: unknown): string {
  if (cause instanceof FileRefusedError) return cause.code === 'EFBIG' ? 'is too large' : 'is no regular file';
  const { code, name } = cause as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'is not there' : `cannot be read (${code ?? name})`;
}
