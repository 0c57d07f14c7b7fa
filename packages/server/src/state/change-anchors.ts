import { type Anchor, CaracalError } from '@caracal/core';

/** What the admin endpoint answers in `error` where all is written and replicas are missing. */
export const NOT_REPLICATED = 'not_replicated';

/**
 * Revokes, or lifts, every one of these, whatever becomes of the others.
 *
 * @throws what one of them failed with; where replicas alone have not confirmed, {@link isNotReplicated}: then every one is in effect and
 *   written
 */
export async function changeAnchors(
  anchors: readonly Anchor[],
  change: (anchor: Anchor) => Promise<void>,
): Promise<void> {
  const settled = await Promise.allSettled(anchors.map(change));
  const causes = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  if (causes.length === 0) return;
  throw causes.find((cause) => !isNotReplicated(cause)) ?? causes[0];
}

/** Whether a revocation is in effect and written, and too few replicas have confirmed it: a failover could lose it. */
export function isNotReplicated(cause: unknown): boolean {
  return cause instanceof CaracalError && cause.reason === 'not_replicated';
}
