import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@caracal/core';

/** What came of an attempt. */
export type AdminVerdict = 'ok' | 'refused' | 'unavailable';

/** Whether the request bears the admin token. Compares digests, so that time says nothing, not even of its length. */
export async function authenticateAdmin(
  authorization: string | undefined,
  expected: () => Secret | Promise<Secret>,
): Promise<AdminVerdict> {
  const [, presented] = /^bearer +([\x21-\x7e]{1,4096})$/i.exec(authorization ?? '') ?? [];
  let token: Secret;
  try {
    token = await expected();
  } catch {
    return 'unavailable'; // its file is gone; the generation in force says so in the log
  }
  if (presented === undefined) return 'refused';
  return timingSafeEqual(digest(presented), digest(token.reveal())) ? 'ok' : 'refused';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
