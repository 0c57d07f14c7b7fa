import { crc32 } from 'node:zlib';

/**
 * How a log stands on disk: lines of `checksum SP payload LF`. The checksum is the CRC-32 of this payload continued from the
 * line before, eight hex digits, so that a line which was changed, dropped, moved or doubled is found. It finds damage; whoever may
 * write the file can forge it.
 */
export interface LinePosition {
  /** Checksum of the last line. */
  readonly checksum: number;
  /** Lines so far, the header included. */
  readonly lines: number;
  /** Bytes so far. */
  readonly size: number;
}

/** Before the first line. */
export const START: LinePosition = Object.freeze({ checksum: 0, lines: 0, size: 0 });

const LINE_FEED = 0x0a;
const CHECKSUM_DIGITS = 8;

/** First payload of a log: what it holds, so that one file is never read as another. */
export function headerOf(kind: string): string {
  return JSON.stringify({ caracal: kind, version: 1 });
}

/** The payloads as bytes that continue a log, and where it then is. A payload is JSON: it holds no line feed. */
export function encodeLines(
  payloads: readonly string[],
  from: LinePosition,
): { bytes: Buffer; position: LinePosition } {
  let { checksum } = from;
  let text = '';
  for (const payload of payloads) {
    checksum = crc32(payload, checksum);
    text += `${digits(checksum)} ${payload}\n`;
  }
  const bytes = Buffer.from(text);
  return { bytes, position: { checksum, lines: from.lines + payloads.length, size: from.size + bytes.length } };
}

/** A line that is not what was written. `line` counts from 1. */
export class DamagedLine extends Error {
  override readonly name = 'DamagedLine';
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line} ${problem}`);
    this.line = line;
  }
}

/** Reads lines from pieces of a file. What follows the last line feed stays in `rest`: a write that was cut off. */
export class LineReader {
  readonly #onPayload: (payload: string, line: number) => void;
  #position = START;
  #rest: Uint8Array = new Uint8Array();

  constructor(onPayload: (payload: string, line: number) => void) {
    this.#onPayload = onPayload;
  }

  get position(): LinePosition {
    return this.#position;
  }

  get rest(): Uint8Array {
    return this.#rest;
  }

  /** @throws DamagedLine */
  read(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.#line(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start));
      start = end + 1;
    }
    // A copy, as the same memory may be filled again. Not slice(): a Buffer's is a view.
    this.#rest = new Uint8Array(bytes.subarray(start));
  }

  #line(bytes: Buffer): void {
    const { checksum, lines, size } = this.#position;
    const line = lines + 1;
    const payload = bytes.subarray(CHECKSUM_DIGITS + 1);
    const found = crc32(payload, checksum);
    if (bytes.toString('latin1', 0, CHECKSUM_DIGITS + 1) !== `${digits(found)} `) {
      throw new DamagedLine(line, 'does not fit its checksum and the line before it');
    }
    this.#onPayload(payload.toString(), line);
    this.#position = { checksum: found, lines: line, size: size + bytes.length + 1 };
  }
}

function digits(checksum: number): string {
  return checksum.toString(16).padStart(CHECKSUM_DIGITS, '0');
}
