import type { ResourceDefinition } from '@caracal/core';

/** Zone of a definition that names none. */
const DEFAULT_ZONE = 'default';

/**
 * The one of `others` within whose mount that of `definition` lies; `undefined` where none does. A request under the outer mount
 * would go elsewhere as soon as the inner one is known: whether that is so must not depend on what has been read.
 */
export function mountAbove(
  { zone = DEFAULT_ZONE, mount }: ResourceDefinition,
  others: readonly ResourceDefinition[],
): ResourceDefinition | undefined {
  if (mount === undefined) return undefined;
  return others.find(
    (other) =>
      other.mount !== undefined &&
      (other.zone ?? DEFAULT_ZONE) === zone &&
      mayBeOne(mount.host, other.mount.host) &&
      `${prefixOf(mount)}/`.startsWith(`${prefixOf(other.mount)}/`),
  );
}

type Mount = NonNullable<ResourceDefinition['mount']>;

function prefixOf({ pathPrefix = '' }: Mount): string {
  return pathPrefix.endsWith('/') ? pathPrefix.slice(0, -1) : pathPrefix;
}

/** Whether a request can be for both: no host is every host, and one without a port every port. */
function mayBeOne(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  const [a, b] = [partsOf(one), partsOf(other)];
  return a.name === b.name && (a.port === '' || b.port === '' || a.port === b.port);
}

function partsOf(host: string): { readonly name: string; readonly port: string } {
  const [, name = host, port = ''] = /^(.*?)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
  return { name, port };
}
