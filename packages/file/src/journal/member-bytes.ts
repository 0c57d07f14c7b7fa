import { quoted } from './text.js';

const CHUNK_BYTES = 64 * 1024;
/** More than the longest text of a number has. */
const MAX_DIGITS = 32;
const DOT = 0x2e;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** By character code: whether it stands in JSON as it is, one byte long. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, code) =>
  code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH ? 0 : 1,
);
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** A member's name as {@link MemberBytes} writes it: `,"name":`. */
export function memberKey(name: string): Uint8Array {
  return Buffer.from(`,${JSON.stringify(name)}:`, 'latin1');
}

/**
 * Writes the members of a JSON object as bytes, UTF-8, one object after the other: `begin`, members, `end`. Text is looked
 * at and copied in one loop, because this stands on the path of every request: a string put together from fifty pieces is
 * copied three times before it is on the disk. What is `undefined` is left out; a number that is not finite becomes `null`.
 */
export class MemberBytes {
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** Where the present object begins, and where its next byte goes. */
  #start = 0;
  #at = 0;

  begin(): void {
    this.#start = this.#at;
  }

  /** The members since `begin`, without braces. They stay as they are until `recycle`. */
  end(): Uint8Array {
    // The first comma separates from nothing.
    return this.#chunk.subarray(Math.min(this.#start + 1, this.#at), this.#at);
  }

  /** Nobody needs what was written so far: it may be written over. */
  recycle(): void {
    this.#start = 0;
    this.#at = 0;
    if (this.#chunk.length > CHUNK_BYTES) this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  /** Bytes of the present object so far. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** What was written since `length` was `from`, to be kept. */
  copyFrom(from: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#chunk, this.#start + from, this.#at);
  }

  /** Members that `copyFrom` answered. */
  members(written: Uint8Array): void {
    this.#reserve(written.length);
    this.#chunk.set(written, this.#at);
    this.#at += written.length;
  }

  text(key: Uint8Array, value: string | undefined): void {
    if (value === undefined) return;
    // By what the value is, not by what its type promises: a caller without types must not be able to break a line.
    if (typeof value !== 'string') return this.json(key, value);
    this.#reserve(key.length + value.length + 2);
    this.#write(key);
    const chunk = this.#chunk;
    let at = this.#at;
    chunk[at++] = QUOTE;
    const { length } = value;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (PLAIN[code & 0xff] !== 1 || code > 0xff) return this.#writeText(quoted(value));
      chunk[at + index] = code;
    }
    at += length;
    chunk[at++] = QUOTE;
    this.#at = at;
  }

  number(key: Uint8Array, value: number | undefined): void {
    if (value === undefined) return;
    if (typeof value !== 'number') return this.json(key, value);
    this.#reserve(key.length + MAX_DIGITS);
    this.#write(key);
    // Of a record's numbers most are whole, the others thousandths; below this bound both are written exactly as by `String`.
    const thousandths = Math.round(value * 1000);
    if (thousandths >= 0 && thousandths < 2 ** 31 && thousandths / 1000 === value)
      return this.#writeThousandths(thousandths);
    const digits = Number.isFinite(value) ? String(value) : 'null';
    for (let index = 0; index < digits.length; index++) this.#chunk[this.#at++] = digits.charCodeAt(index);
  }

  /** Any value: a list, an object of any shape. Slower than the others. */
  json(key: Uint8Array, value: unknown): void {
    if (value === undefined) return;
    this.#reserve(key.length);
    this.#write(key);
    this.#writeText(jsonOf(value));
  }

  /** Begins a member that is an object; the members up to `close` are its own. Answers what `close` wants. */
  open(key: Uint8Array): number {
    this.#reserve(key.length);
    this.#write(key);
    return this.length;
  }

  close(opened: number): void {
    this.#reserve(2);
    const first = this.#start + opened;
    // In the place of its first comma.
    if (this.#at === first) this.#at += 1;
    this.#chunk[first] = OPEN;
    this.#chunk[this.#at++] = CLOSE;
  }

  #writeThousandths(value: number): void {
    this.#writeWhole((value / 1000) | 0);
    let rest = value % 1000;
    if (rest === 0) return;
    this.#chunk[this.#at++] = DOT;
    for (let place = 100; rest > 0; place /= 10) {
      const digit = (rest / place) | 0;
      this.#chunk[this.#at++] = ZERO + digit;
      rest -= digit * place;
    }
  }

  #writeWhole(value: number): void {
    let place = 1;
    while (value >= place * 10) place *= 10;
    for (let rest = value; place >= 1; place /= 10) {
      const digit = (rest / place) | 0;
      this.#chunk[this.#at++] = ZERO + digit;
      rest -= digit * place;
    }
  }

  #write(key: Uint8Array): void {
    const chunk = this.#chunk;
    let at = this.#at;
    for (let index = 0; index < key.length; index++) chunk[at++] = key[index]!;
    this.#at = at;
  }

  #writeText(text: string): void {
    this.#reserve(Buffer.byteLength(text));
    this.#at += this.#chunk.write(text, this.#at);
  }

  /** Room for so many bytes, in a new chunk where this one has too few: others still hold what is in the old one. */
  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.length) return;
    const begun = this.#chunk.subarray(this.#start, this.#at);
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, 2 * (begun.length + bytes)));
    this.#chunk.set(begun);
    this.#start = 0;
    this.#at = begun.length;
  }
}

function jsonOf(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${quoted(name)}:${jsonOf(member)}`).join(',')}}`;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'boolean' ? String(value) : 'null';
}
