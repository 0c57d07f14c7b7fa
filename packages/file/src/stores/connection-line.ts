import type { Connection, ConnectionKey } from '@caracal/core';

/** One change of a connection, as the log keeps it. */
export interface ConnectionEntry {
  readonly key: ConnectionKey;
  /** `undefined`: it was removed. */
  readonly connection: Connection | undefined;
}

/** The change as one line of JSON. */
export function connectionLine({ key: { zoneId, providerId, owner }, connection }: ConnectionEntry): string {
  const whose = owner === 'shared' ? [] : [owner.issuer, owner.subject];
  return JSON.stringify([
    zoneId,
    providerId,
    whose,
    ...(connection === undefined ? [] : [connection.id, connection.sealed, connection.version]),
  ]);
}

/** Reads what {@link connectionLine} wrote. @throws TypeError or SyntaxError for anything else */
export function parseConnectionLine(line: string): ConnectionEntry {
  const [zoneId, providerId, whose, id, sealed, version] = JSON.parse(line) as readonly unknown[];
  if (!isText(zoneId) || !isText(providerId) || !Array.isArray(whose) || !whose.every(isText))
    throw new TypeError('no key');
  if (whose.length !== 0 && whose.length !== 2) throw new TypeError('no owner');
  const owner = whose.length === 0 ? 'shared' : { issuer: whose[0] as string, subject: whose[1] as string };
  const key: ConnectionKey = { zoneId, providerId, owner };
  if (id === undefined) return { key, connection: undefined };
  if (!isText(id) || !isText(sealed) || !isText(version)) throw new TypeError('no connection');
  return { key, connection: Object.freeze({ id, sealed, version }) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
