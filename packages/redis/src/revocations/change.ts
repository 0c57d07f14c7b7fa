import { type Anchor, checkedAnchor, revocationLifeMs, SESSION_REVOCATION_MS } from '@caracal/core';

/** Ends are whole hours since the epoch: an anchor's place in the dataset is the bucket of its end. */
const HOUR_MS = 60 * 60 * 1000;

/** One change of what is revoked. */
export interface Change {
  readonly op: 'revoke' | 'lift';
  readonly anchor: Anchor;
  /** Hours since the epoch: when a revocation ends, and when that it was lifted may be forgotten. `Infinity`: until lifted. */
  readonly end: number;
}

/** Hours since the epoch, of a wall clock's ms. */
export function hoursOf(wallMs: number): number {
  return wallMs / HOUR_MS;
}

/** The change that revokes, at this time (ms). Counts an hour or two longer than it must: clocks of gateways may differ by one. */
export function revocation(anchor: Anchor, nowMs: number): Change {
  return { op: 'revoke', anchor, end: endAfter(nowMs, revocationLifeMs(anchor.kind)) };
}

/** The change that lifts. It is remembered for a day, so that no process brings back what it did not see lifted. */
export function lifting(anchor: Anchor, nowMs: number): Change {
  return { op: 'lift', anchor, end: endAfter(nowMs, SESSION_REVOCATION_MS) };
}

function endAfter(nowMs: number, lifeMs: number): number {
  return Math.ceil(hoursOf(nowMs + lifeMs)) + 1;
}

/** The anchor as one text: JSON, in which no part can pose as another. */
export function fieldOf({ zoneId, issuer, kind, id }: Anchor): string {
  return JSON.stringify([zoneId, issuer, kind, id]);
}

/** Reads what {@link fieldOf} made. @throws TypeError or SyntaxError for anything else */
export function parseField(field: string): Anchor {
  const [zoneId, issuer, kind, id] = JSON.parse(field) as string[];
  return checkedAnchor({ zoneId, issuer, kind, id } as Anchor);
}

/** Changes as one text, for the log. */
export function changesText(changes: readonly Change[]): string {
  return JSON.stringify(
    changes.map(({ op, anchor: { zoneId, issuer, kind, id }, end }) => [
      op === 'revoke' ? 1 : 0,
      end === Number.POSITIVE_INFINITY ? null : end, // JSON has no Infinity
      ...[zoneId, issuer, kind, id],
    ]),
  );
}

/** Reads what {@link changesText} made. @throws TypeError or SyntaxError for anything else */
export function parseChanges(text: string): readonly Change[] {
  return (JSON.parse(text) as unknown[][]).map(([op, end, zoneId, issuer, kind, id]) => {
    if ((op !== 0 && op !== 1) || !(end === null || Number.isSafeInteger(end))) throw new TypeError('no change');
    return {
      op: op === 1 ? 'revoke' : 'lift',
      anchor: checkedAnchor({ zoneId, issuer, kind, id } as Anchor),
      end: end === null ? Number.POSITIVE_INFINITY : (end as number),
    };
  });
}
