import type { Awaitable } from '../pipeline.js';
import type { Resource } from './resource.js';

/** A resource found by its mount. */
export interface MountMatch {
  readonly resource: Resource;
  /** Raw prefix to take off the path; empty for a mount by host alone. */
  readonly pathPrefix: string;
}

/** Port: which resource has this identifier or mount, in this zone? A throw is answered `directory_unavailable`. */
export interface ResourceDirectory {
  byIdentifier(zoneId: string, identifier: string): Awaitable<Resource | undefined>;
  /** `host`: lower case, with port as received. `path`: raw, without query. The longest prefix wins. */
  byMount(zoneId: string, host: string, path: string): Awaitable<MountMatch | undefined>;
  /**
   * Whether any operation, of any zone, names this method, which is none of the standard seven: the first check refuses the others.
   * Synchronous, for it is asked before anybody has shown a mandate. Throws where it cannot be said.
   */
  namesMethod(method: string): boolean;
  /** The methods that `namesMethod` is known to be true of: what a refusal lists in `Allow`. */
  extraMethods(): ReadonlySet<string>;
}
