import { CaracalError, type Secret, sealedSecretStore } from '@caracal/core';
import { APPLICATION_SECRET_FIELD } from '@caracal/sts';
import type {
  ApplicationConfiguration,
  Configuration,
  TokenServiceConfiguration,
} from '../configuration/configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { nearName } from '../frame/near-name.js';
import { readReference, SecretUnavailableError } from '../secrets/read-reference.js';
import { loadSealingKeys } from '../secrets/sealing-keys.js';
import { configurationFault } from './configuration-option.js';

/** The token service of a configuration. @throws CommandError where it has none */
export function requireTokenService({ tokenService }: Configuration): TokenServiceConfiguration {
  if (tokenService === undefined) {
    throw wrongUse('the configuration has no tokenService; mandates come from the issuers it trusts, ask them');
  }
  return tokenService;
}

/** The application that is named, else the only one. @throws CommandError */
export function chooseApplication(
  { applications }: TokenServiceConfiguration,
  wanted: string | undefined,
): ApplicationConfiguration {
  const ids = applications.map(({ id }) => id);
  if (wanted === undefined) {
    const [only, ...more] = applications;
    if (only !== undefined && more.length === 0) return only;
    throw wrongUse(`--application is one of ${ids.join(', ')}`);
  }
  const found = applications.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  const near = nearName(wanted, ids);
  const suggestion = near === undefined ? `it has ${ids.join(', ')}` : `did you mean ${near}?`;
  throw wrongUse(`there is no application ${wanted} in the configuration; ${suggestion}`);
}

/** The secret of an application, to act as it. @throws CommandError where the configuration does not hold it */
export async function applicationSecret(
  configuration: Configuration,
  { id, secret }: ApplicationConfiguration,
  env: NodeJS.ProcessEnv,
): Promise<Secret> {
  if (secret === undefined) {
    throw failed(`${id} proves itself with a key of its own (publicKeys): only who holds it can ask for a mandate`);
  }
  if ('hash' in secret) {
    throw failed(
      `the configuration holds a hash of the secret of ${id}: only who holds the secret can ask for a mandate`,
    );
  }
  if (!('sealed' in secret)) return readReference(secret, env).catch((cause: unknown) => secretFault(id, cause));
  try {
    const { keys } = await loadSealingKeys(configuration, env);
    const binding = { zoneId: configuration.zone, providerId: id, field: APPLICATION_SECRET_FIELD, origins: [] };
    return await sealedSecretStore({ keys }).open(secret, binding);
  } catch (cause) {
    return secretFault(id, cause);
  }
}

function secretFault(id: string, cause: unknown): never {
  if (cause instanceof SecretUnavailableError) throw failed(`the secret of ${id} ${cause.message}`);
  if (cause instanceof ConfigurationError) throw configurationFault(cause);
  if (!(cause instanceof CaracalError)) throw cause;
  throw failed(`the secret of ${id} is sealed and does not open here; seal it again: caracal seal --for ${id}`);
}
