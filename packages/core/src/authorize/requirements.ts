import { type Denial, deny } from '../errors.js';
import type { Operation } from '../resolve/operations.js';
import type { Resource } from '../resolve/resource.js';
import type { ChainLink, Mandate } from '../verify/mandate.js';
import { missingScopes, requiredScopes } from './scopes.js';

/** Row 9: where operations are enforced, the request is a declared one. */
export function checkOperation(resource: Resource, operation: Operation | undefined): Denial | undefined {
  if (operation !== undefined || resource.operationEnforcement === 'any') return undefined;
  return deny('operation_not_permitted', 'operation_not_declared');
}

/**
 * Row 10: every scope the request needs is in the mandate. The denial names all of them, not only the missing ones, so
 * that one challenge is enough to get a mandate that works. @see RFC 6750 section 3
 */
export function checkScopes(
  mandate: Mandate,
  resource: Resource,
  operation: Operation | undefined,
): Denial | undefined {
  const required = requiredScopes(resource, operation);
  if (missingScopes(required, mandate.scopes).length === 0) return undefined;
  return deny('insufficient_scope', 'scope_missing', { scope: required.join(' ') });
}

/**
 * Row 11: what the resource requires of the mandate.
 *
 * - `session`: it belongs to an agent's session, see {@link hasSession}.
 * - `delegation`: it was delegated at least once.
 * - `maxHops`: it was delegated at most so often; never delegated is 0.
 * - `chainContains`: these applications occur in its delegation chain, in this order, others between them or not.
 */
export function checkRequirements(mandate: Mandate, resource: Resource): Denial | undefined {
  const { session, delegation, maxHops, chainContains } = resource.require;
  const hops = mandate.delegation?.hopCount ?? 0;
  if (session && !hasSession(mandate)) return deny('session_required', 'no_session');
  if (delegation && hops < 1) return deny('delegation_required', 'not_delegated');
  if (maxHops !== undefined && hops > maxHops) return deny('hop_count_exceeded', 'too_many_hops');
  if (chainContains.length > 0 && !containsInOrder(mandate.delegation?.chain ?? [], chainContains)) {
    return deny('chain_mismatch', 'application_not_in_chain');
  }
  return undefined;
}

/**
 * `agent_session_id`. Every Caracal mandate has a `sid` and a `root_sid` (its record of authority), so these cannot
 * answer the question; where an issuer has no root session, the one session its claims are mapped to is the agent's.
 */
function hasSession(mandate: Mandate): boolean {
  if (mandate.agentSessionId !== undefined) return true;
  return mandate.sessionId !== undefined && mandate.rootSessionId === undefined;
}

function containsInOrder(chain: readonly ChainLink[], applicationIds: readonly string[]): boolean {
  let found = 0;
  for (const link of chain) if (link.applicationId === applicationIds[found]) found += 1;
  return found === applicationIds.length;
}
