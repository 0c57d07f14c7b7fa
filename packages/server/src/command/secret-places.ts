import type { SecretBinding } from '@caracal/core';
import { oauthSecretOrigins } from '@caracal/oauth';
import { APPLICATION_SECRET_FIELD } from '@caracal/sts';
import type { Configuration } from '../configuration/configuration.js';

/** A secret that can be sealed, and what it is then bound to, the zone aside. */
export interface SecretPlace extends Omit<SecretBinding, 'zoneId'> {
  /** Zones whose calls open it. */
  readonly zones: readonly string[];
}

const OAUTH_FIELDS = ['clientSecret', 'privateKey'] as const;

/** Every secret of a configuration that can be sealed. */
export function secretPlaces(configuration: Configuration): readonly SecretPlace[] {
  const { zone, providers, resources, tokenService } = configuration;
  const ofProviders = providers.flatMap((provider) => {
    const used = resources.filter((resource) => resource.provider === provider.id);
    const zones = new Set(used.map((resource) => resource.zone ?? zone));
    const place = { providerId: provider.id, zones: zones.size === 0 ? [zone] : [...zones] };
    if (provider.kind === 'oauth2_client_credentials' || provider.kind === 'oauth2_authorization_code') {
      // They go to the token endpoint too.
      const origins = oauthSecretOrigins(provider);
      return OAUTH_FIELDS.map((field) => ({ ...place, field, origins }));
    }
    return 'secret' in provider ? [{ ...place, field: 'secret', origins: provider.origins ?? [] }] : [];
  });
  const ofApplications = (tokenService?.applications ?? []).map(({ id }) => ({
    providerId: id,
    field: APPLICATION_SECRET_FIELD,
    origins: [],
    zones: [zone],
  }));
  return [...ofProviders, ...ofApplications];
}
