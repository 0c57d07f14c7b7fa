import type { SecretBinding } from '@caracal/core';
import { APPLICATION_SECRET_FIELD } from '@caracal/sts';
import type { Configuration } from '../configuration/configuration.js';

/** A secret that can be sealed, and what it is then bound to, the zone aside. */
export interface SecretPlace extends Omit<SecretBinding, 'zoneId'> {
  /** Zones whose calls open it. */
  readonly zones: readonly string[];
}

/** Every secret of a configuration that can be sealed. */
export function secretPlaces(configuration: Configuration): readonly SecretPlace[] {
  const { zone, providers, resources, tokenService } = configuration;
  const ofProviders = providers.flatMap((provider) => {
    if (!('secret' in provider)) return [];
    const used = resources.filter((resource) => resource.provider === provider.id);
    const zones = new Set(used.map((resource) => resource.zone ?? zone));
    const { id, origins = [] } = provider;
    return [{ providerId: id, field: 'secret', origins, zones: zones.size === 0 ? [zone] : [...zones] }];
  });
  const ofApplications = (tokenService?.applications ?? []).map(({ id }) => ({
    providerId: id,
    field: APPLICATION_SECRET_FIELD,
    origins: [],
    zones: [zone],
  }));
  return [...ofProviders, ...ofApplications];
}
