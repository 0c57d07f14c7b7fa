import { Denial, deny } from '../errors.js';
import { identifierList, isIdentifier, isName, optionalIdentifier } from './claim-values.js';
import { isJsonObject, type JsonObject, own } from './json-object.js';
import type { ChainLink, Delegation } from './mandate.js';

/** Most edges in a delegation path. */
export const MAX_DELEGATION_HOPS = 64;

/**
 * Reads how authority came to a mandate; `undefined` where it was never delegated.
 *
 * The claims must agree, because requirements count hops and revocation follows edges: `hop_count` is the length of
 * `delegation_path`, `delegation_edge_id` is its last edge, and `delegation_chain` has at most one application more
 * than there are edges between them.
 */
export function delegationOf(claims: JsonObject): Delegation | undefined | Denial {
  const edgeId = optionalIdentifier(claims, 'delegation_edge_id');
  if (edgeId instanceof Denial) return edgeId;
  const path = absentAsEmpty(own(claims, 'delegation_path'), (value) => identifierList(value, MAX_DELEGATION_HOPS));
  if (path === undefined) return deny('invalid_token', 'delegation_path_invalid');
  const chain = absentAsEmpty(own(claims, 'delegation_chain'), chainOf);
  if (chain === undefined) return deny('invalid_token', 'delegation_chain_invalid');
  const graphEpoch = own(claims, 'delegation_graph_epoch');
  if (!isGraphEpoch(graphEpoch)) return deny('invalid_token', 'delegation_graph_epoch_invalid');
  // It may be absent only where nothing was delegated.
  const hopCount = own(claims, 'hop_count');
  if (hopCount !== path.length && (hopCount !== undefined || path.length > 0)) {
    return deny('invalid_token', 'hop_count_mismatch');
  }
  if (new Set(path).size !== path.length) return deny('invalid_token', 'delegation_path_invalid');
  if (edgeId !== undefined && edgeId !== path.at(-1)) return deny('invalid_token', 'delegation_edge_mismatch');
  if (chain.length > path.length + 1) return deny('invalid_token', 'delegation_chain_mismatch');
  return path.length === 0 ? undefined : Object.freeze({ edgeId, path, chain, hopCount: path.length, graphEpoch });
}

function absentAsEmpty<T>(claim: unknown, read: (claim: unknown) => readonly T[] | undefined) {
  return claim === undefined ? (Object.freeze([]) as readonly T[]) : read(claim);
}

function isGraphEpoch(value: unknown): value is string | number | undefined {
  return value === undefined || isIdentifier(value) || (typeof value === 'number' && Number.isFinite(value));
}

function chainOf(value: unknown): readonly ChainLink[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_DELEGATION_HOPS + 1) return undefined;
  const links: ChainLink[] = [];
  for (const entry of value as unknown[]) {
    const link = isJsonObject(entry) ? linkOf(entry) : undefined;
    if (link === undefined) return undefined;
    links.push(link);
  }
  return Object.freeze(links);
}

function linkOf(entry: JsonObject): ChainLink | undefined {
  const applicationId = own(entry, 'application_id');
  const agentSessionId = optionalIdentifier(entry, 'agent_session_id');
  const delegationEdgeId = optionalIdentifier(entry, 'delegation_edge_id');
  if (!isName(applicationId) || agentSessionId instanceof Denial || delegationEdgeId instanceof Denial) {
    return undefined;
  }
  return Object.freeze({
    applicationId,
    ...(agentSessionId === undefined ? undefined : { agentSessionId }),
    ...(delegationEdgeId === undefined ? undefined : { delegationEdgeId }),
  });
}
