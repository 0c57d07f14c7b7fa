import { createHash } from 'node:crypto';
import { compositeKey } from '@caracal/core';

/** Prefix of every key, where none is given. */
export const DEFAULT_PREFIX = 'caracal';

/** Answers a prefix that is one. @throws TypeError naming the option */
export function checkedPrefix(factory: string, prefix: unknown = DEFAULT_PREFIX): string {
  // No braces: they would choose the slot of every key in a cluster. No glob characters: an ACL names keys by pattern.
  if (typeof prefix !== 'string' || !/^[A-Za-z0-9._:-]{1,64}$/.test(prefix)) {
    throw new TypeError(`${factory}: prefix is 1 to 64 characters of A-Z a-z 0-9 . _ : -`);
  }
  return prefix;
}

/**
 * A key's part for any texts: SHA-256, so that it has one length and one alphabet, whatever the texts are, and different for
 * different parts.
 */
export function hashOf(parts: readonly string[]): string {
  // UTF-16 as it is: UTF-8 would make one and the same of all lone surrogates.
  return createHash('sha256').update(compositeKey(parts), 'utf16le').digest('base64url');
}
