import { learn, type Resolved, type Verified } from '../admission.js';
import { ask } from '../ask.js';
import { Denial, deny } from '../errors.js';
import { webSocketOffer } from '../head/websocket-offer.js';
import { chain, isPromise, type Stage, type Step } from '../pipeline.js';
import type { Mandate } from '../verify/mandate.js';
import { mountTable } from './mount.js';
import type { Resource } from './resource.js';
import type { MountMatch, ResourceDirectory } from './resource-directory.js';

/** Row 7: header or mount name a resource, the directory knows it, and the mandate reaches it. */
export function knownResource(directory: ResourceDirectory, timeoutMs: number): Stage<Verified, Resolved> {
  return {
    rows: '7',
    name: 'resource',
    spends: false,
    run: (admission) => {
      const named = admission.request.resource;
      const mount = mounted(directory, timeoutMs, admission);
      if (named === undefined) {
        return chain(mount, ({ match }) =>
          match === undefined ? deny('invalid_request', 'resource_not_named') : resolved(admission, match),
        );
      }
      return chain(unlessUnavailable(mount), ({ match, unanswered }) => {
        if (match !== undefined && match.resource.identifier !== named) {
          return deny('invalid_request', 'resource_and_mount_differ');
        }
        if (match !== undefined) return resolved(admission, match);
        return chain(
          ask('directory_unavailable', timeoutMs, () => lookup(directory, admission.mandate.zoneId, named)),
          (found) => resolved(admission, unanswered ? byItsOwnMount(found.resource, admission) : found),
        );
      });
    },
  };
}

/** Row 8: the declared length is within the limit, and an upgrade is a WebSocket, in order, and allowed here. */
export const acceptableShape: Stage<Resolved, Resolved> = {
  rows: '8',
  name: 'length and upgrade',
  spends: false,
  run: (admission) => {
    const { request, resource, head } = admission;
    if (request.contentLength !== undefined && request.contentLength > resource.limits.maxBodyBytes) {
      return deny('payload_too_large', 'declared_length');
    }
    if (!head.upgrade) return admission;
    if (!resource.websocket) return deny('upgrade_not_permitted', 'upgrade_not_declared');
    const upgrade = webSocketOffer(request, head.headers);
    return upgrade instanceof Denial ? upgrade : learn(admission, { upgrade });
  },
};

interface Mounted {
  readonly match: MountMatch | undefined;
  /** What is mounted there cannot be said at the moment. */
  readonly unanswered: boolean;
}

const NOT_MOUNTED: Mounted = Object.freeze({ match: undefined, unanswered: false });
const UNANSWERED: Mounted = Object.freeze({ match: undefined, unanswered: true });

function mounted(directory: ResourceDirectory, timeoutMs: number, { request, mandate }: Verified) {
  return chain(
    ask('directory_unavailable', timeoutMs, () => directory.byMount(mandate.zoneId, request.host, request.path)),
    (match): Mounted => (match === undefined ? NOT_MOUNTED : { match, unanswered: false }),
  );
}

/**
 * A directory that cannot say what is mounted here may still know the resource that is named: what one process knows goes on
 * while the rest cannot be read.
 */
function unlessUnavailable(mount: Step<Mounted>): Step<Mounted> {
  if (isPromise(mount)) return mount.then((settled) => (settled instanceof Denial ? UNANSWERED : settled));
  return mount instanceof Denial ? UNANSWERED : mount;
}

function byItsOwnMount(resource: Resource, { request: { host, path } }: Verified): MountMatch {
  return mountTable([resource]).match(host, path) ?? { resource, pathPrefix: '' };
}

function lookup(directory: ResourceDirectory, zoneId: string, identifier: string) {
  return chain(directory.byIdentifier(zoneId, identifier), (resource): MountMatch | Denial =>
    resource === undefined ? deny('resource_not_permitted', 'unknown_resource') : { resource, pathPrefix: '' },
  );
}

function resolved(admission: Verified, { resource, pathPrefix }: MountMatch): Resolved | Denial {
  const { mandate, request, head } = admission;
  if (resource.zoneId !== mandate.zoneId) return deny('resource_not_permitted', 'unknown_resource');
  if (!reaches(mandate, resource.identifier)) return deny('resource_not_permitted', 'not_a_target');
  const path = pathPrefix === '' ? request.path : request.path.slice(pathPrefix.length) || '/';
  return learn(admission, {
    resource,
    path,
    mountPrefix: (head.removedPrefix ?? '') + pathPrefix,
    operation: resource.operations.match(request.method, path),
  });
}

function reaches(mandate: Mandate, identifier: string): boolean {
  return mandate.targets.includes(identifier);
}
