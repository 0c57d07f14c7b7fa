import { hostName } from '../head/host.js';
import type { Resource } from './resource.js';

/**
 * Checks that no two resources with `passCookies` share a host of the gateway: a browser keeps cookies by host, without
 * the port, so one upstream would be sent the cookies of the other. A resource without `mount.host` is on every host.
 *
 * @throws TypeError naming both resources.
 */
export function checkCookieHosts(resources: Iterable<Resource>): void {
  const byHost = new Map<string, Resource>();
  let anywhere: Resource | undefined;
  for (const resource of resources) {
    if (!resource.passCookies) continue;
    const host = resource.mount?.host;
    const name = host === undefined ? undefined : hostName(host);
    const other = anywhere ?? (name === undefined ? byHost.values().next().value : byHost.get(name));
    if (other !== undefined) {
      throw new TypeError(
        `Resources ${other.identifier} and ${resource.identifier} both pass cookies on one host; give each a mount.host of its own`,
      );
    }
    if (name === undefined) anywhere = resource;
    else byHost.set(name, resource);
  }
}
