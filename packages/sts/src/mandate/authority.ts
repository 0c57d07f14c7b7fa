import type { Application } from '../application.js';
import { type Denied, denied } from '../denied.js';
import type { KnownResource } from '../resource.js';
import { type MandateClaims, type MandateUse, scopesOfText } from './mandate-claims.js';

/** What is asked for. */
export interface AuthorityRequest {
  /** Resource identifiers, each once; none asks for a session. */
  readonly resources: readonly string[];
  /** `undefined` asks for all there is. */
  readonly scopes: readonly string[] | undefined;
}

/** What may be issued. */
export interface Authority {
  readonly use: MandateUse;
  /** The application the mandate is of. */
  readonly application: Application;
  readonly targets: readonly string[];
  readonly scopes: readonly string[];
}

/** What is known to the service. */
export interface Catalog {
  readonly applications: ReadonlyMap<string, Application>;
  readonly resources: ReadonlyMap<string, KnownResource>;
}

/** What an application may have of its own authority: a session without a resource, else a mandate for the gateway. */
export function ownAuthority(
  application: Application,
  request: AuthorityRequest,
  catalog: Catalog,
): Authority | Denied {
  return request.resources.length === 0
    ? sessionAuthority(application, request, undefined)
    : targetAuthority('gateway', application, request, catalog, undefined);
}

/**
 * What an application may have in exchange for a mandate it presents. Authority only narrows: within the subject's use,
 * targets and scopes, and within what its application is granted today.
 *
 * @see RFC 8693 section 2.1
 */
export function exchangedAuthority(
  requester: Application,
  subject: MandateClaims,
  request: AuthorityRequest,
  catalog: Catalog,
): Authority | Denied {
  const application = catalog.applications.get(subject.client_id);
  if (application === undefined) return denied('invalid_request', 'subject_application_unknown');
  // It is spent by presenting it to its resource; what that resource may do with it has to be delegated.
  if (subject.use === 'resource') return denied('invalid_request', 'subject_use_resource');
  const scopes = new Set(scopesOfText(subject.scope));
  if (subject.use === 'gateway') {
    const [only, ...more] = request.resources;
    // A session reaches whatever is granted, so a mandate for some resources is not turned back into one.
    if (only === undefined) return denied('invalid_target', 'resource_missing');
    if (!request.resources.every((resource) => subject.target?.includes(resource))) {
      return denied('invalid_target', 'target_exceeds_subject');
    }
    if (catalog.resources.get(only)?.gatewayApplication === requester.id) {
      if (more.length > 0) return denied('invalid_target', 'resource_use_several');
      return targetAuthority('resource', application, request, catalog, scopes);
    }
  }
  if (application.id !== requester.id) return denied('unauthorized_client', 'subject_of_another');
  return request.resources.length === 0
    ? sessionAuthority(application, request, scopes)
    : targetAuthority('gateway', application, request, catalog, scopes);
}

// A session's scopes are a bound for what is issued in it; on which resource each counts is the grant's to say.
function sessionAuthority(
  application: Application,
  { scopes }: AuthorityRequest,
  bound: ReadonlySet<string> | undefined,
): Authority | Denied {
  const granted = new Set<string>();
  for (const grant of application.grants.values()) {
    for (const scope of grant) if (bound?.has(scope) ?? true) granted.add(scope);
  }
  if (scopes !== undefined && !scopes.every((scope) => granted.has(scope))) {
    return denied('invalid_scope', 'scope_not_granted');
  }
  return { use: 'session', application, targets: [], scopes: scopes ?? [...granted] };
}

// Scopes are flat, so every one has to be granted on every resource: else it would count where it was not granted.
function targetAuthority(
  use: 'gateway' | 'resource',
  application: Application,
  { resources, scopes }: AuthorityRequest,
  catalog: Catalog,
  bound: ReadonlySet<string> | undefined,
): Authority | Denied {
  const grants: ReadonlySet<string>[] = [];
  for (const resource of resources) {
    const grant = application.grants.get(resource);
    if (grant === undefined || !catalog.resources.has(resource))
      return denied('invalid_target', 'resource_not_granted');
    grants.push(grant);
  }
  if (scopes === undefined) {
    const common = [...grants[0]!].filter((scope) => grants.every((grant) => grant.has(scope)));
    const granted = common.filter((scope) => bound?.has(scope) ?? true);
    if (common.length === 0 && grants.some(({ size }) => size > 0)) return denied('invalid_target', 'no_common_scope');
    if (common.length > 0 && granted.length === 0) return denied('invalid_scope', 'scope_exceeds_subject');
    return { use, application, targets: resources, scopes: granted };
  }
  if (bound !== undefined && !scopes.every((scope) => bound.has(scope))) {
    return denied('invalid_scope', 'scope_exceeds_subject');
  }
  if (!grants.every((grant) => scopes.every((scope) => grant.has(scope)))) {
    return denied('invalid_target', 'scope_not_granted_on_each');
  }
  return { use, application, targets: resources, scopes };
}
