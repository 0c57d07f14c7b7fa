import { type Anchor, checkedAnchor } from '@caracal/core';

/** One change of what is revoked, as the log keeps it. */
export interface RevocationChange {
  readonly anchor: Anchor;
  /** Until when it is revoked, wall clock, ms since the epoch; `Infinity`: until lifted; `undefined`: it is lifted. */
  readonly until: number | undefined;
}

/** The change as one line of JSON. */
export function revocationLine({ anchor: { zoneId, issuer, kind, id }, until }: RevocationChange): string {
  // JSON has no Infinity: null is "until lifted".
  return JSON.stringify({
    ...(until === undefined ? { op: 'lift' } : { op: 'revoke' }),
    ...{ zoneId, issuer, kind, id },
    ...(until === undefined ? {} : { until: until === Number.POSITIVE_INFINITY ? null : Math.ceil(until) }),
  });
}

/** Reads what {@link revocationLine} wrote. @throws TypeError or SyntaxError for anything else */
export function parseRevocationLine(line: string): RevocationChange {
  const { op, until, ...anchor } = JSON.parse(line) as { op: unknown; until?: unknown } & Anchor;
  if (op === 'lift') return { anchor: checkedAnchor(anchor), until: undefined };
  if (op !== 'revoke') throw new TypeError('unknown operation');
  if (until === null) return { anchor: checkedAnchor(anchor), until: Number.POSITIVE_INFINITY };
  if (typeof until !== 'number') throw new TypeError('unknown end');
  return { anchor: checkedAnchor(anchor), until };
}
