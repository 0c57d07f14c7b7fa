import { type SecretReference, sealedSecretStore } from '@caracal/core';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError, type ConfigurationProblem } from '../configuration/problem.js';
import { readReference, SecretUnavailableError } from './read-reference.js';
import { hasGeneratedKey, loadSealingKeys, type SealingKeys } from './sealing-keys.js';
import { type SecretPlace, secretPlaces } from './secret-places.js';

/** A secret that stands somewhere. */
interface Place {
  readonly path: string;
  readonly reference: SecretReference;
  /** What it is bound to where it is sealed; `undefined`: it cannot be. */
  readonly sealed: SecretPlace | undefined;
}

/**
 * Every secret of a configuration that cannot be had now: an unset variable, a missing file, an envelope that does not open.
 * For `caracal check`: a running gateway meets each where it is needed, and refuses only what needs it.
 */
export async function secretProblems(
  configuration: Configuration,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly ConfigurationProblem[]> {
  const problems: ConfigurationProblem[] = [];
  let sealing: SealingKeys | undefined;
  const places = placesOf(configuration);
  // Without keys of its own none is made here: looking changes nothing.
  if (configuration.sealing !== undefined || (await hasGeneratedKey(configuration))) {
    try {
      sealing = await loadSealingKeys(configuration, environment);
    } catch (cause) {
      if (!(cause instanceof ConfigurationError)) throw cause;
      problems.push(...cause.problems);
    }
  }
  for (const place of places) {
    const fault = await faultOf(place, sealing, environment);
    if (fault !== undefined) problems.push({ path: place.path, ...fault });
  }
  return problems;
}

async function faultOf(
  { reference, sealed }: Place,
  sealing: SealingKeys | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<{ fault: string; remedy: string } | undefined> {
  if ('sealed' in reference) {
    if (sealing === undefined) {
      return { fault: 'is sealed, and there is no sealing key yet', remedy: 'give sealing.keys, or seal it here' };
    }
    return sealed && sealedFault(reference, sealed, sealing);
  }
  try {
    await readReference(reference, environment);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof SecretUnavailableError)) throw cause;
    return { fault: cause.fault, remedy: cause.remedy };
  }
}

async function sealedFault(
  reference: SecretReference,
  { providerId, field, origins, zones }: SecretPlace,
  { keys }: SealingKeys,
): Promise<{ fault: string; remedy: string } | undefined> {
  const store = sealedSecretStore({ keys });
  const closed: string[] = [];
  for (const zoneId of zones) {
    try {
      await store.open(reference, { zoneId, providerId, field, origins });
    } catch {
      closed.push(zoneId); // why, an envelope does not tell
    }
  }
  if (closed.length === 0) return undefined;
  if (closed.length < zones.length) {
    const fault = `is sealed for another zone than ${closed.join(', ')}, which uses it too`;
    return { fault, remedy: 'give each zone a provider of its own' };
  }
  const fault = 'is sealed and does not open with the sealing keys for this zone, id, field and origins';
  return { fault, remedy: 'seal it again with caracal seal' };
}

function placesOf(configuration: Configuration): Place[] {
  const { gateway, providers, resources, stores, admin } = configuration;
  const places: Place[] = [];
  const plain = (path: string, reference: SecretReference | undefined) => {
    if (reference !== undefined) places.push({ path, reference, sealed: undefined });
  };
  plain('gateway.audit.signingKey', gateway.audit.signingKey);
  plain('stores.redis.url', stores.redis?.url);
  plain('stores.redis.signingKey', stores.redis?.signingKey);
  plain('stores.postgres.url', stores.postgres?.url);
  plain('stores.postgres.readerUrl', stores.postgres?.readerUrl);
  for (const name of ['ca', 'cert', 'key'] as const) {
    plain(`stores.postgres.tls.${name}`, stores.postgres?.tls?.[name]);
  }
  plain('admin.token', admin?.token);
  for (const [index, provider] of providers.entries()) {
    if ('clientId' in provider) plain(`providers[${index}].certificate`, provider.certificate);
  }
  for (const [index, { tls }] of resources.entries()) {
    for (const name of ['ca', 'cert', 'key'] as const) plain(`resources[${index}].tls.${name}`, tls?.[name]);
  }
  for (const sealed of secretPlaces(configuration)) {
    const { path, reference } = sealed;
    // A hash is no secret.
    if (reference !== undefined && !('hash' in reference)) places.push({ path, reference, sealed });
  }
  return places;
}
