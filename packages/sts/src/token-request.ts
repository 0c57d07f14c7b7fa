import { isResourceIdentifier, isScope, MAX_SCOPES } from '@caracal/core';
import { type Denied, denied } from './denied.js';
import { type Form, parameter } from './http/form.js';
import type { AuthorityRequest } from './mandate/authority.js';
import { ACCESS_TOKEN_TYPE, CLIENT_CREDENTIALS, JWT_TYPE, TOKEN_EXCHANGE } from './oauth-names.js';

/** What a token request asks for, its form checked. */
export interface TokenRequest extends AuthorityRequest {
  readonly grantType: typeof TOKEN_EXCHANGE | typeof CLIENT_CREDENTIALS;
  readonly subjectToken: string | undefined;
  /** s; `undefined`: the default. */
  readonly ttlSeconds: number | undefined;
}

/** Most resources of one mandate. */
export const MAX_RESOURCES = 64;

/**
 * Reads a token request. `zone` is the one served here.
 *
 * @see RFC 6749 section 4.4.2, RFC 8693 section 2.1, RFC 8707 section 2
 */
export function tokenRequest(form: Form, zone: string): TokenRequest | Denied {
  const grantType = parameter(form, 'grant_type');
  if (grantType === undefined) return denied('invalid_request', 'grant_type_missing');
  if (grantType !== TOKEN_EXCHANGE && grantType !== CLIENT_CREDENTIALS) {
    return denied('unsupported_grant_type', 'grant_type_unknown');
  }
  if ((parameter(form, 'zone_id') ?? zone) !== zone) return denied('invalid_request', 'zone_unknown');
  const resources = requestedResources(form);
  if (resources === undefined) return denied('invalid_target', 'resource_malformed');
  const scopes = requestedScopes(parameter(form, 'scope'));
  if (scopes === null) return denied('invalid_scope', 'scope_malformed');
  const ttlSeconds = requestedTtl(parameter(form, 'ttl_seconds'));
  if (ttlSeconds === null) return denied('invalid_request', 'ttl_malformed');
  if (grantType === CLIENT_CREDENTIALS) return { grantType, subjectToken: undefined, resources, scopes, ttlSeconds };
  const fault = exchangeFault(form);
  if (fault !== undefined) return denied('invalid_request', fault);
  return { grantType, subjectToken: parameter(form, 'subject_token'), resources, scopes, ttlSeconds };
}

/** What is wrong with the parameters of a token exchange alone. */
function exchangeFault(form: Form): string | undefined {
  const subjectToken = parameter(form, 'subject_token');
  const subjectType = parameter(form, 'subject_token_type');
  const requestedType = parameter(form, 'requested_token_type');
  // An actor that were left out in silence would make of a delegation an impersonation (RFC 8693 section 1.1).
  if (parameter(form, 'actor_token') !== undefined || parameter(form, 'actor_token_type') !== undefined) {
    return 'actor_token_not_accepted';
  }
  if (requestedType !== undefined && !isMandateType(requestedType)) return 'requested_token_type_unknown';
  if (subjectToken !== undefined) return isMandateType(subjectType) ? undefined : 'subject_token_type_unknown';
  if (subjectType !== undefined) return 'subject_token_missing';
  // Only Caracal's own clients ask without one; to them it is what client credentials are to others.
  const isCaracalForm =
    parameter(form, 'application_id') !== undefined && parameter(form, 'client_secret') !== undefined;
  return isCaracalForm ? undefined : 'subject_token_missing';
}

/** Resources and audiences alike name a target by its identifier. `undefined` where one is malformed. */
function requestedResources(form: Form): readonly string[] | undefined {
  const named = new Set([...(form.get('resource') ?? []), ...(form.get('audience') ?? [])]);
  return named.size <= MAX_RESOURCES && [...named].every(isResourceIdentifier) ? [...named] : undefined;
}

/** `null` where they are malformed. @see RFC 6749 section 3.3 */
function requestedScopes(text: string | undefined): readonly string[] | undefined | null {
  if (text === undefined) return undefined;
  const scopes = [...new Set(text.split(' '))];
  return scopes.length <= MAX_SCOPES && scopes.every(isScope) ? scopes : null;
}

/** `null` where it is no whole number of seconds above 0. */
function requestedTtl(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

function isMandateType(type: string | undefined): boolean {
  return type === ACCESS_TOKEN_TYPE || type === JWT_TYPE;
}
