import { type SecretReference, sealedSecretStore } from '@caracal/core';
import { oauthSecretOrigins } from '@caracal/oauth';
import { APPLICATION_SECRET_FIELD } from '@caracal/sts';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError, type ConfigurationProblem } from '../configuration/problem.js';
import { readReference, SecretUnavailableError } from './read-reference.js';
import { hasGeneratedKey, loadSealingKeys, type SealingKeys } from './sealing-keys.js';

/** What a sealed secret is bound to beside the zone. */
interface Place {
  readonly path: string;
  readonly reference: SecretReference;
  readonly providerId: string;
  readonly field: string;
  readonly origins: readonly string[];
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
    const fault = await faultOf(place, configuration.zone, sealing, environment);
    if (fault !== undefined) problems.push({ path: place.path, ...fault });
  }
  return problems;
}

async function faultOf(
  { reference, providerId, field, origins }: Place,
  zoneId: string,
  sealing: SealingKeys | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<{ fault: string; remedy: string } | undefined> {
  try {
    if (!('sealed' in reference)) await readReference(reference, environment);
    else if (sealing !== undefined) {
      await sealedSecretStore({ keys: sealing.keys }).open(reference, { zoneId, providerId, field, origins });
    } else return { fault: 'is sealed, and there is no sealing key yet', remedy: 'give sealing.keys, or seal it here' };
    return undefined;
  } catch (cause) {
    if (cause instanceof SecretUnavailableError) return { fault: cause.fault, remedy: cause.remedy };
    const fault = 'is sealed and does not open with the sealing keys for this zone, id, field and origins';
    return { fault, remedy: 'seal it again with caracal seal' };
  }
}

function placesOf({ gateway, tokenService, providers, resources, stores, admin }: Configuration): Place[] {
  const places: Place[] = [];
  const plain = (path: string, reference: SecretReference | undefined) => {
    if (reference !== undefined) places.push({ path, reference, providerId: '', field: '', origins: [] });
  };
  plain('gateway.audit.signingKey', gateway.audit.signingKey);
  plain('stores.redis.url', stores.redis?.url);
  plain('stores.redis.signingKey', stores.redis?.signingKey);
  plain('stores.postgres.url', stores.postgres?.url);
  for (const name of ['ca', 'cert', 'key'] as const) {
    plain(`stores.postgres.tls.${name}`, stores.postgres?.tls?.[name]);
  }
  plain('admin.token', admin?.token);
  if (gateway.identity?.secret !== undefined) {
    const { application, secret } = gateway.identity;
    places.push(applicationSecret('gateway.identity.secret', application, secret));
  }
  for (const [index, { id, secret }] of (tokenService?.applications ?? []).entries()) {
    if (secret === undefined || 'hash' in secret) continue;
    places.push(applicationSecret(`tokenService.applications[${index}].secret`, id, secret));
  }
  for (const [index, provider] of providers.entries()) {
    const { id } = provider;
    const origins = ('origins' in provider ? provider.origins : undefined) ?? [];
    const at = `providers[${index}]`;
    if ('secret' in provider) {
      places.push({ path: `${at}.secret`, reference: provider.secret, providerId: id, field: 'secret', origins });
    }
    if (!('clientId' in provider)) continue;
    plain(`${at}.certificate`, provider.certificate);
    for (const field of ['clientSecret', 'privateKey'] as const) {
      const reference = provider[field];
      if (reference === undefined) continue;
      places.push({ path: `${at}.${field}`, reference, providerId: id, field, origins: oauthSecretOrigins(provider) });
    }
  }
  for (const [index, { tls }] of resources.entries()) {
    for (const name of ['ca', 'cert', 'key'] as const) plain(`resources[${index}].tls.${name}`, tls?.[name]);
  }
  return places;
}

function applicationSecret(path: string, id: string, reference: SecretReference): Place {
  return { path, reference, providerId: id, field: APPLICATION_SECRET_FIELD, origins: [] };
}
