import type { SecretBinding, SecretReference } from '@caracal/core';
import { oauthSecretOrigins, signInPlaceId } from '@caracal/oauth';
import { APPLICATION_SECRET_FIELD } from '@caracal/sts';
import type { ApplicationConfiguration, Configuration } from '../configuration/configuration.js';

/** A secret that can be sealed, and what it is then bound to, the zone aside. */
export interface SecretPlace extends Omit<SecretBinding, 'zoneId'> {
  /** Where it stands in the configuration: `providers[0].clientSecret`. */
  readonly path: string;
  /** What stands there now. */
  readonly reference: ApplicationConfiguration['secret'];
  /** Zones whose calls open it. */
  readonly zones: readonly string[];
}

const OAUTH_FIELDS = ['clientSecret', 'privateKey'] as const;

/** Every secret of a configuration that can be sealed. */
export function secretPlaces(configuration: Configuration): readonly SecretPlace[] {
  return [
    ...identityPlaces(configuration),
    ...applicationPlaces(configuration),
    ...providerPlaces(configuration),
    ...signInPlaces(configuration),
  ];
}

/** What the gateway proves itself with where it exchanges mandates. */
export function identityBinding({ zone, gateway: { identity }, tokenService }: Configuration): SecretBinding {
  const { application = '', tokenEndpoint } = identity ?? {};
  // With the token service in this file it is that application's secret, and goes nowhere.
  const origins = tokenService !== undefined || tokenEndpoint === undefined ? [] : [new URL(tokenEndpoint).origin];
  return { zoneId: zone, providerId: application, field: APPLICATION_SECRET_FIELD, origins };
}

function providerPlaces({ zone, providers, resources }: Configuration): SecretPlace[] {
  return providers.flatMap((provider, index): SecretPlace[] => {
    const used = resources.filter((resource) => resource.provider === provider.id);
    const zones = distinct(used.map((resource) => resource.zone ?? zone)) ?? [zone];
    const place = (field: string, reference: SecretReference | undefined, origins: readonly string[]) => ({
      path: `providers[${index}].${field}`,
      reference,
      providerId: provider.id,
      field,
      origins,
      zones,
    });
    if (provider.kind === 'oauth2_client_credentials' || provider.kind === 'oauth2_authorization_code') {
      // They go to the token endpoint too.
      const origins = oauthSecretOrigins(provider);
      return OAUTH_FIELDS.map((field) => place(field, provider[field], origins));
    }
    return 'secret' in provider ? [place('secret', provider.secret, provider.origins ?? [])] : [];
  });
}

function signInPlaces({ zone, connect, providers, resources }: Configuration): SecretPlace[] {
  const connectable = providers.filter(({ kind }) => kind === 'oauth2_authorization_code').map(({ id }) => id);
  const used = resources.filter(({ provider }) => provider !== undefined && connectable.includes(provider));
  const zones = distinct(used.map((resource) => resource.zone ?? zone)) ?? [zone];
  return (connect?.signIn ?? []).flatMap((signIn, index) =>
    OAUTH_FIELDS.map((field) => ({
      path: `connect.signIn[${index}].${field}`,
      reference: signIn[field],
      providerId: signInPlaceId(signIn.issuer),
      field,
      origins: oauthSecretOrigins({ issuer: signIn.at ?? signIn.issuer }),
      zones,
    })),
  );
}

function applicationPlaces({ zone, tokenService }: Configuration): SecretPlace[] {
  return (tokenService?.applications ?? []).map(({ id, secret }, index) => ({
    path: `tokenService.applications[${index}].secret`,
    reference: secret,
    providerId: id,
    field: APPLICATION_SECRET_FIELD,
    origins: [],
    zones: [zone],
  }));
}

function identityPlaces(configuration: Configuration): SecretPlace[] {
  const { identity } = configuration.gateway;
  // Where the token service is in this file, the secret is that of its application.
  if (identity === undefined || (configuration.tokenService !== undefined && identity.secret === undefined)) return [];
  const { zoneId, ...binding } = identityBinding(configuration);
  return [{ path: 'gateway.identity.secret', reference: identity.secret, zones: [zoneId], ...binding }];
}

function distinct(zones: readonly string[]): readonly string[] | undefined {
  return zones.length === 0 ? undefined : [...new Set(zones)];
}
