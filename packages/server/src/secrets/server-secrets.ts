import { CaracalError, type Secret, type SecretStore, sealedSecretStore } from '@caracal/core';
import { FileSecrets } from './file-secrets.js';
import { SecretUnavailableError, secretOfEnvironment } from './read-reference.js';
import type { SealingKeys } from './sealing-keys.js';

/** Opens every kind of reference. */
export interface ServerSecrets extends SecretStore {
  /** Looks at every file now. */
  refresh(): Promise<void>;
  /** Leaves no timer behind. */
  close(): void;
}

/** Secrets in the environment, in files, and sealed. The environment is that of the start: it does not change. */
export function serverSecrets({ keys }: SealingKeys, environment: NodeJS.ProcessEnv): ServerSecrets {
  const files = new FileSecrets();
  const sealed = sealedSecretStore({ keys });
  // One object for one variable, so that what was made of it stays.
  const variables = new Map<string, Secret>();
  return {
    open(reference, binding) {
      if ('sealed' in reference) return sealed.open(reference, binding);
      if ('file' in reference) return files.open(reference.file);
      const known = variables.get(reference.env) ?? variableOf(reference.env, environment);
      variables.set(reference.env, known);
      return known;
    },
    refresh: () => files.refresh(),
    close: () => files.close(),
  };
}

function variableOf(name: string, environment: NodeJS.ProcessEnv): Secret {
  try {
    return secretOfEnvironment(name, environment);
  } catch (cause) {
    if (!(cause instanceof SecretUnavailableError)) throw cause;
    throw new CaracalError('credential_unavailable', 'secret_env', { cause });
  }
}
