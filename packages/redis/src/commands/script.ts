import { createHash } from 'node:crypto';

/** A Lua script, run by its digest where the server knows it already. */
export interface Script {
  readonly text: string;
  /** What the server calls it by: SHA-1, in hex. */
  readonly sha: string;
}

/** Makes a script of its text. */
export function script(text: string): Script {
  return Object.freeze({ text, sha: createHash('sha1').update(text).digest('hex') });
}
