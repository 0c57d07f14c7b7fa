import { hash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** An identifier as the column type `uuid` takes it: itself, else a UUIDv8 made of its digest. @see RFC 9562 section 5.8 */
export function uuidOf(text: string): string {
  if (UUID.test(text)) return text.toLowerCase();
  const digest = hash('sha256', text, 'hex');
  const variant = '89ab'[Number.parseInt(digest[16]!, 16) % 4];
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** The time in a UUID of version 7, ms since the epoch; `undefined` for one of another version. */
export function timeOfUuid(uuid: string): number | undefined {
  if (uuid[14] !== '7' || uuid.length !== 36) return undefined;
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}
