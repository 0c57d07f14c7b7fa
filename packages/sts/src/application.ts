import {
  isName,
  refuseUnknownOptions,
  type Secret,
  type SecretReference,
  type SecretStore,
  secretSource,
} from '@caracal/core';
import { type AssertionKeys, assertionKeys } from './authenticate/assertion-keys.js';
import { parseSecretHash } from './authenticate/secret-hash.js';
import type { ExpectedSecret } from './authenticate/secret-verifier.js';
import { type KnownResource, scopeSet } from './resource.js';

/** What an application may reach. */
export interface Grant {
  /** Identifier of one of the service's resources. */
  readonly resource: string;
  /** Of the resource's scopes. May be empty: then it reaches what needs none. */
  readonly scopes: readonly string[];
}

/** An application. It authenticates with exactly one of `secret` and `publicKeys`. */
export interface ApplicationOptions {
  /** `client_id` of its mandates: 1 to 128 of `A-Z a-z 0-9 . _ : -`. */
  readonly id: string;
  /**
   * Its secret; where that is kept (bound to field {@link APPLICATION_SECRET_FIELD} of provider `id`, without origins); or
   * what `hashSecret` made of it.
   */
  readonly secret?: Secret | SecretReference | { readonly hash: string };
  /** Public JWKs, each with a `kid`, for `private_key_jwt`. */
  readonly publicKeys?: readonly object[];
  readonly grants: readonly Grant[];
}

/** The field a sealed application secret is bound to. */
export const APPLICATION_SECRET_FIELD = 'applicationSecret';

/** A checked application. */
export interface Application {
  readonly id: string;
  readonly secret: ExpectedSecret | undefined;
  readonly assertionKeys: AssertionKeys | undefined;
  /** Scopes by resource identifier. */
  readonly grants: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Checks applications against the resources they are granted. @throws TypeError that names the entry and the remedy */
export function knownApplications(
  applications: readonly ApplicationOptions[],
  resources: ReadonlyMap<string, KnownResource>,
  secrets: SecretStore | undefined,
): ReadonlyMap<string, Application> {
  if (!Array.isArray(applications) || applications.length === 0) {
    throw new TypeError('createTokenService: applications is empty; nobody could be issued a mandate');
  }
  const known = new Map<string, Application>();
  const folded = new Set<string>();
  for (const [index, options] of applications.entries()) {
    const where = `createTokenService: applications[${index}]`;
    const application = knownApplication(where, options, resources, secrets);
    // Ids that differ in case alone are one name to people, and two to every check.
    if (folded.has(application.id.toLowerCase())) throw new TypeError(`${where}: ${application.id} is listed twice`);
    folded.add(application.id.toLowerCase());
    known.set(application.id, application);
  }
  for (const { identifier, gatewayApplication } of resources.values()) {
    if (gatewayApplication !== undefined && !known.has(gatewayApplication)) {
      throw new TypeError(`createTokenService: ${identifier}: its gatewayApplication is not among applications`);
    }
  }
  return known;
}

function knownApplication(
  where: string,
  options: ApplicationOptions,
  resources: ReadonlyMap<string, KnownResource>,
  secrets: SecretStore | undefined,
): Application {
  refuseUnknownOptions(where, options, ['id', 'secret', 'publicKeys', 'grants']);
  const { id, secret, publicKeys } = options;
  if (!isName(id)) throw new TypeError(`${where}.id is 1 to 128 of A-Z a-z 0-9 . _ : -`);
  if ((secret === undefined) === (publicKeys === undefined)) {
    throw new TypeError(`${where}: give either secret or publicKeys`);
  }
  return Object.freeze({
    id,
    secret: secret === undefined ? undefined : expectedSecret(where, id, secret, secrets),
    assertionKeys: publicKeys === undefined ? undefined : assertionKeys(`${where}.publicKeys`, publicKeys),
    grants: grantsOf(where, options.grants, resources),
  });
}

function expectedSecret(
  where: string,
  id: string,
  secret: NonNullable<ApplicationOptions['secret']>,
  secrets: SecretStore | undefined,
): ExpectedSecret {
  if (typeof secret === 'object' && 'hash' in secret) {
    const hash = typeof secret.hash === 'string' ? parseSecretHash(secret.hash) : undefined;
    if (hash === undefined) throw new TypeError(`${where}.secret.hash is not what hashSecret() makes; make it again`);
    return { kind: 'hash', hash };
  }
  const place = { providerId: id, field: APPLICATION_SECRET_FIELD, origins: [] };
  const option = secrets === undefined ? { secret } : { secret, secrets };
  return { kind: 'source', source: secretSource(where, option, place) };
}

function grantsOf(
  where: string,
  grants: readonly Grant[],
  resources: ReadonlyMap<string, KnownResource>,
): ReadonlyMap<string, ReadonlySet<string>> {
  if (!Array.isArray(grants)) throw new TypeError(`${where}.grants is a list; it may be empty`);
  const granted = new Map<string, ReadonlySet<string>>();
  for (const [index, grant] of grants.entries()) {
    const at = `${where}.grants[${index}]`;
    refuseUnknownOptions(at, grant, ['resource', 'scopes']);
    const resource = resources.get(grant.resource);
    if (resource === undefined) throw new TypeError(`${at}.resource is not among resources`);
    if (granted.has(grant.resource)) throw new TypeError(`${at}: ${grant.resource} is granted twice`);
    const scopes = scopeSet(`${at}.scopes`, grant.scopes);
    for (const scope of scopes) {
      if (!resource.scopes.has(scope)) throw new TypeError(`${at}: ${grant.resource} has no scope ${scope}`);
    }
    granted.set(grant.resource, scopes);
  }
  return granted;
}
