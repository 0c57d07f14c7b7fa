import type { ConnectionKey } from '@caracal/core';

/** Zone, provider, issuer and subject of a row; the last two are `null` for a shared connection. */
export type KeyColumns = readonly [zone: string, provider: string, issuer: string | null, subject: string | null];

/** A row's columns by their names. */
export interface KeyRow {
  readonly zone: string;
  readonly provider: string;
  readonly issuer: string | null;
  readonly subject: string | null;
}

/** The parts of a key: two more for a subject's own than for the shared one. */
export function partsOf({ zoneId, providerId, owner }: ConnectionKey): readonly string[] {
  return owner === 'shared' ? [zoneId, providerId] : [zoneId, providerId, owner.issuer, owner.subject];
}

/** What stands in the columns of a key. */
export function columnsOf(key: ConnectionKey): KeyColumns {
  const [zone, provider, issuer, subject] = partsOf(key).map(escaped);
  return [zone!, provider!, issuer ?? null, subject ?? null];
}

/** The key in the columns. @throws SyntaxError for what {@link columnsOf} did not write */
export function keyOf({ zone, provider, issuer, subject }: KeyRow): ConnectionKey {
  const owner = issuer === null || subject === null ? 'shared' : { issuer: plain(issuer), subject: plain(subject) };
  return Object.freeze({
    zoneId: plain(zone),
    providerId: plain(provider),
    owner: owner === 'shared' ? owner : Object.freeze(owner),
  });
}

// A JSON string without its quotes: PostgreSQL's text holds neither U+0000 nor a lone surrogate, and JSON escapes both.
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function plain(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}
