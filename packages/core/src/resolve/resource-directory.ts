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
  /** Methods beyond the standard seven that any operation names, so that the first check can refuse the rest. */
  extraMethods(): ReadonlySet<string>;
}
