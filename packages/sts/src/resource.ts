import { isName, isResourceIdentifier, isScope } from '@caracal/core';

/** A resource mandates can be issued for. What else a gateway's definition of it holds is not read here. */
export interface TokenResource {
  readonly identifier: string;
  /** Every scope that can be granted on it. Default none. */
  readonly scopes?: readonly string[];
  /** The application that may exchange a mandate for one with this resource as its audience. */
  readonly gatewayApplication?: string;
}

/** A checked resource. */
export interface KnownResource {
  readonly identifier: string;
  readonly scopes: ReadonlySet<string>;
  readonly gatewayApplication: string | undefined;
}

/** Checks resources. @throws TypeError that names the entry and the remedy */
export function knownResources(resources: readonly TokenResource[]): ReadonlyMap<string, KnownResource> {
  if (!Array.isArray(resources)) throw new TypeError('createTokenService: resources is a list');
  const known = new Map<string, KnownResource>();
  for (const [index, { identifier, scopes = [], gatewayApplication }] of resources.entries()) {
    const where = `createTokenService: resources[${index}]`;
    if (typeof identifier !== 'string' || !isResourceIdentifier(identifier)) {
      throw new TypeError(`${where}.identifier is an absolute URI of 1 to 512 characters without fragment and comma`);
    }
    if (known.has(identifier)) throw new TypeError(`${where}: ${identifier} is listed twice`);
    if (gatewayApplication !== undefined && !isName(gatewayApplication)) {
      throw new TypeError(`${where}.gatewayApplication is the id of an application`);
    }
    known.set(identifier, { identifier, scopes: scopeSet(`${where}.scopes`, scopes), gatewayApplication });
  }
  return known;
}

/** Scopes as a set. @throws TypeError where one is none */
export function scopeSet(where: string, scopes: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(scopes) || !scopes.every(isScope)) {
    throw new TypeError(`${where} is a list of scopes: visible ASCII without spaces, quotes and backslashes`);
  }
  return new Set(scopes);
}
