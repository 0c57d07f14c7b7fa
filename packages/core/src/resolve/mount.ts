import { hostName } from '../head/host.js';
import type { Resource } from './resource.js';
import type { MountMatch } from './resource-directory.js';

/** The mounts of one zone. */
export interface MountTable {
  /** `host`: lower case, with port as received. `path`: raw, without query. */
  match(host: string, path: string): MountMatch | undefined;
}

/** Prefixes by segment. */
interface MountNode {
  readonly below: Map<string, MountNode>;
  match: MountMatch | undefined;
}

/**
 * Compiles the mounts of the resources that have one.
 *
 * A prefix matches raw bytes up to a `/` or the end of the path, so `/a` takes `/a` and `/a/b`, neither `/ab` nor
 * `/%61`. A mount's host with a port matches that port alone, one without matches every port, no host every host. The
 * longest prefix wins; of equal ones, the more specific host.
 *
 * @throws TypeError naming the two resources where host and prefix are equal.
 */
export function mountTable(resources: Iterable<Resource>): MountTable {
  const byHost = new Map<string, MountNode>();
  for (const resource of resources) {
    if (resource.mount === undefined) continue;
    const host = resource.mount.host ?? ANY_HOST;
    const root = childOf(byHost, host);
    addMount(root, resource, resource.mount.pathPrefix);
  }
  return { match: (host, path) => (byHost.size === 0 ? undefined : match(byHost, host, path)) };
}

/** No valid host is empty. */
const ANY_HOST = '';

function addMount(root: MountNode, resource: Resource, pathPrefix: string): void {
  let node = root;
  if (pathPrefix !== '') for (const segment of pathPrefix.slice(1).split('/')) node = childOf(node.below, segment);
  if (node.match !== undefined) {
    throw new TypeError(`Resources ${node.match.resource.identifier} and ${resource.identifier} have the same mount`);
  }
  node.match = Object.freeze({ resource, pathPrefix });
}

function match(byHost: ReadonlyMap<string, MountNode>, host: string, path: string): MountMatch | undefined {
  const name = hostName(host);
  const exact = longestPrefix(byHost.get(host), path);
  const anyPort = name === host ? undefined : longestPrefix(byHost.get(name), path);
  const anyHost = longestPrefix(byHost.get(ANY_HOST), path);
  return longer(longer(exact, anyPort), anyHost);
}

function longer(specific: MountMatch | undefined, general: MountMatch | undefined): MountMatch | undefined {
  if (specific === undefined || general === undefined) return specific ?? general;
  return general.pathPrefix.length > specific.pathPrefix.length ? general : specific;
}

// Goes down no further than prefixes are declared, however long the path is.
function longestPrefix(root: MountNode | undefined, path: string): MountMatch | undefined {
  let node = root;
  let longest = root?.match;
  let start = 1;
  while (node !== undefined && node.below.size > 0 && start <= path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    node = node.below.get(path.slice(start, end));
    longest = node?.match ?? longest;
    start = end + 1;
  }
  return longest;
}

function childOf(nodes: Map<string, MountNode>, key: string): MountNode {
  let node = nodes.get(key);
  if (node === undefined) {
    node = { below: new Map(), match: undefined };
    nodes.set(key, node);
  }
  return node;
}
