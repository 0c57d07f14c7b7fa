import { STANDARD_METHODS } from '../head/check-head.js';
import { checkCookieHosts } from '../resolve/cookie-hosts.js';
import { defineResource } from '../resolve/define-resource.js';
import { type MountTable, mountTable } from '../resolve/mount.js';
import type { Resource, ResourceDefinition } from '../resolve/resource.js';
import type { ResourceDirectory } from '../resolve/resource-directory.js';

interface Zone {
  readonly byIdentifier: ReadonlyMap<string, Resource>;
  readonly mounts: MountTable;
}

/**
 * A directory of resources that are known beforehand. Answers synchronously, in time that does not grow with their
 * number, and never fails.
 *
 * @throws TypeError where a definition is not in order (see `defineResource`), two identifiers of a zone are equal
 *   without case, two mounts of a zone are equal, or two resources would share cookies.
 */
export function memoryResourceDirectory(definitions: readonly ResourceDefinition[]): ResourceDirectory {
  const resources = definitions.map(defineResource);
  checkCookieHosts(resources);
  const zones = zonesOf(resources);
  const extra = extraMethodsOf(resources);
  return Object.freeze({
    byIdentifier: (zoneId: string, identifier: string) => zones.get(zoneId)?.byIdentifier.get(identifier),
    byMount: (zoneId: string, host: string, path: string) => zones.get(zoneId)?.mounts.match(host, path),
    namesMethod: (method: string) => extra.has(method),
    extraMethods: () => extra,
  });
}

function zonesOf(resources: readonly Resource[]): ReadonlyMap<string, Zone> {
  const byZone = new Map<string, Resource[]>();
  for (const resource of resources) {
    const members = byZone.get(resource.zoneId);
    if (members === undefined) byZone.set(resource.zoneId, [resource]);
    else members.push(resource);
  }
  const zones = new Map<string, Zone>();
  for (const [zoneId, members] of byZone) {
    zones.set(zoneId, { byIdentifier: byIdentifierOf(members), mounts: mountTable(members) });
  }
  return zones;
}

function byIdentifierOf(resources: readonly Resource[]): ReadonlyMap<string, Resource> {
  const byIdentifier = new Map<string, Resource>();
  const byFolded = new Map<string, Resource>();
  for (const resource of resources) {
    // Two names that differ in case only are one name to whoever reads a record or writes a grant.
    const folded = resource.identifier.toLowerCase();
    const equal = byFolded.get(folded);
    if (equal !== undefined) {
      throw new TypeError(`Resources ${equal.identifier} and ${resource.identifier} are equal without case`);
    }
    byFolded.set(folded, resource);
    byIdentifier.set(resource.identifier, resource);
  }
  return byIdentifier;
}

function extraMethodsOf(resources: readonly Resource[]): ReadonlySet<string> {
  const extra = new Set<string>();
  for (const { operations } of resources) {
    for (const method of operations.methods) if (!STANDARD_METHODS.has(method)) extra.add(method);
  }
  return extra;
}
