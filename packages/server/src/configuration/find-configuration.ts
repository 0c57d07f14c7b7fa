import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from './problem.js';

const NAME = /^caracal\.config\.(?:json|ya?ml|[cm]?js|m?ts)$/;

/** The `caracal.config.*` of a directory. @throws ConfigurationError where there is none, or more than one */
export async function findConfiguration(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).sort();
  const [only, ...more] = names;
  if (only === undefined) {
    const fault = `holds no configuration`;
    const remedy = 'name a file with --config, or make caracal.config.json, .yaml or .mjs';
    throw new ConfigurationError([{ path: '', fault, remedy }], directory);
  }
  if (more.length > 0) {
    const fault = `holds more than one configuration: ${names.join(', ')}`;
    throw new ConfigurationError([{ path: '', fault, remedy: 'name one with --config' }], directory);
  }
  return join(directory, only);
}
