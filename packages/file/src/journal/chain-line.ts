import { hash } from 'node:crypto';

/** What the first record of a chain follows. */
export const NO_HASH = '0'.repeat(64);
/** Longest line of a journal in bytes, its line feed included. */
export const MAX_LINE_BYTES = 256 * 1024;

const HASH_CHARACTERS = 64;
const HASH_MEMBER = ',"hash":"';
const SEAL_END = '"}';
/** `,"hash":"<64 hex digits>"}`: of one length, so that a verifier finds it by counting from the end. */
const SEAL_BYTES = HASH_MEMBER.length + HASH_CHARACTERS + SEAL_END.length;
const HASH_START = SEAL_BYTES - HASH_MEMBER.length;
const LINE_FEED = 0x0a;

/** What a line has beside its members, bytes: more than the longest sequence number and its seal. */
export const LINE_FRAME_BYTES = 128;

/** A line that was sealed: its hash, and where it ends behind its line feed. */
export interface SealedLine {
  readonly hash: string;
  readonly end: number;
}

/**
 * Seals records: `{"seq":N,<members>,"hash":"<hex>"}` and a line feed. The hash is SHA-256 over the previous record's
 * hash (64 hex digits) and this line's bytes before `,"hash":"`. Verification reads bytes and never serialises again:
 *
 * ```sh
 * printf '%s%s' "$previous" "${line%,\"hash\":*}" | sha256sum
 * ```
 */
export class LineSealer {
  readonly #hashed = Buffer.allocUnsafe(HASH_CHARACTERS + MAX_LINE_BYTES);

  /** Writes the line of these members (UTF-8, no braces, no more than a line holds) into `line`, from `start`. */
  seal(previous: string, seq: number, members: Uint8Array, line: Buffer, start: number): SealedLine {
    const hashed = this.#hashed;
    const membersStart = hashed.write(`${previous}{"seq":${seq},`, 0, 'latin1');
    hashed.set(members, membersStart);
    const bodyEnd = membersStart + members.length;
    const own = hash('sha256', hashed.subarray(0, bodyEnd), 'hex');
    const sealStart = start + bodyEnd - HASH_CHARACTERS;
    line.set(hashed.subarray(HASH_CHARACTERS, bodyEnd), start);
    return { hash: own, end: sealStart + line.write(`${HASH_MEMBER}${own}${SEAL_END}\n`, sealStart, 'latin1') };
  }
}

/** Why a line is not the next record of its chain. */
export type LineFault = 'malformed' | 'wrong_seq' | 'wrong_hash';

/** The hash of a line that is in order, or what is wrong with it. */
export type LineVerdict = { readonly hash: string; readonly fault?: never } | { readonly fault: LineFault };

/** Checks lines one after the other; holds one buffer, so that a million lines allocate nothing of size. */
export class LineCheck {
  readonly #hashed = Buffer.allocUnsafe(HASH_CHARACTERS + MAX_LINE_BYTES);

  /** `bytes` from `start` up to (not with) the line feed at `end`. */
  check(bytes: Buffer, start: number, end: number, seq: number, previous: string): LineVerdict {
    const bodyEnd = end - SEAL_BYTES;
    if (bodyEnd <= start || end - start >= MAX_LINE_BYTES) return { fault: 'malformed' };
    if (!endsWithSeal(bytes, end)) return { fault: 'malformed' };
    if (seqOf(bytes, start) !== seq) return { fault: 'wrong_seq' };
    this.#hashed.write(previous, 0, 'latin1');
    const bodyBytes = bytes.copy(this.#hashed, HASH_CHARACTERS, start, bodyEnd);
    const own = hash('sha256', this.#hashed.subarray(0, HASH_CHARACTERS + bodyBytes), 'hex');
    return own === hashOf(bytes, end) ? { hash: own } : { fault: 'wrong_hash' };
  }
}

/** The hash a line states. `end` is its line feed. */
export function hashOf(bytes: Buffer, end: number): string {
  return bytes.toString('latin1', end - HASH_START, end - HASH_START + HASH_CHARACTERS);
}

/** The sequence number a line states, `undefined` if it begins with none. */
export function seqOf(bytes: Buffer, start: number): number | undefined {
  const prefix = '{"seq":';
  if (bytes.toString('latin1', start, start + prefix.length) !== prefix) return undefined;
  let seq = 0;
  let at = start + prefix.length;
  for (; at < bytes.length && at < start + 24; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    seq = seq * 10 + digit;
  }
  return bytes[at] === 0x2c && bytes[at - 1] !== 0x3a ? seq : undefined;
}

/** Whether a line is the journal's own rather than a record: those name their type before anything else. */
export function isEventLine(bytes: Buffer, start: number): boolean {
  const comma = bytes.indexOf(0x2c, start);
  return comma !== -1 && bytes.toString('latin1', comma + 1, comma + 8) === '"type":';
}

/** Where the line that begins at `start` has its line feed; -1 if it has none. */
export function lineEnd(bytes: Buffer, start: number): number {
  return bytes.indexOf(LINE_FEED, start);
}

function endsWithSeal(bytes: Buffer, end: number): boolean {
  const seal = bytes.toString('latin1', end - SEAL_BYTES, end);
  return seal.startsWith(HASH_MEMBER) && seal.endsWith(SEAL_END);
}
