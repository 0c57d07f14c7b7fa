import type { SocketReader } from './socket-reader.js';

/** One header line: the name as it was written, the value without surrounding blanks. Text is latin-1. */
export type HeaderField = readonly [name: string, value: string];

/** The head of a message as it stood on the wire. */
export interface MessageHead {
  /** Request line or status line. */
  readonly startLine: string;
  readonly headers: readonly HeaderField[];
  readonly bytes: Buffer;
}

/** How the end of a body is found. @see RFC 9112 section 6.3 */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

/** The next head; `undefined` where the stream ends before one is complete. Not strict: it shows, it does not judge. */
export async function readHead(reader: SocketReader): Promise<MessageHead | undefined> {
  const bytes = await reader.through('\r\n\r\n');
  if (bytes === undefined) return undefined;
  const [startLine = '', ...lines] = bytes.toString('latin1').slice(0, -4).split('\r\n');
  const headers = lines.map((line): HeaderField => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { startLine, headers, bytes };
}

/** Values of every line with this name, without case. */
export function headerValues(headers: readonly HeaderField[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([candidate]) => candidate.toLowerCase() === wanted).map(([, value]) => value);
}

/** The value of the one line with this name; `undefined` where there is none, an error where there are several. */
export function headerValue(headers: readonly HeaderField[], name: string): string | undefined {
  const values = headerValues(headers, name);
  if (values.length > 1) throw new Error(`header ${name} occurs ${values.length} times`);
  return values[0];
}

/** Framing by the headers alone; `otherwise` where they say nothing. */
export function framingOf(headers: readonly HeaderField[], otherwise: 'none' | 'close'): BodyFraming {
  const codings = headerValues(headers, 'transfer-encoding');
  const lengths = headerValues(headers, 'content-length');
  if (codings.length > 0 && lengths.length > 0) throw new Error('a message with two framings');
  if (codings.length > 0) return { kind: 'chunked' };
  return lengths.length === 0 ? { kind: otherwise } : { kind: 'length', bytes: Number(lengths[0]) };
}

/** Pulls a body piece by piece and knows in the end whether it was whole. */
export class BodyReader {
  readonly #reader: SocketReader;
  readonly #framing: BodyFraming;
  #left: number;
  #complete: boolean;
  #begun = false;
  #trailers: string[] = [];

  constructor(reader: SocketReader, framing: BodyFraming) {
    this.#reader = reader;
    this.#framing = framing;
    this.#left = framing.kind === 'length' ? framing.bytes : 0;
    this.#complete = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0);
  }

  /** Whether the body ended as its framing says: all bytes, the last chunk, or an orderly close. */
  get complete(): boolean {
    return this.#complete;
  }

  get trailers(): readonly string[] {
    return this.#trailers;
  }

  /** The next piece; `undefined` where no more comes. */
  async next(): Promise<Buffer | undefined> {
    if (this.#complete) return undefined;
    if (this.#framing.kind === 'close') {
      const piece = await this.#reader.some();
      this.#complete = piece === undefined && !this.#reader.wasReset;
      return piece;
    }
    if (this.#left === 0 && !(await this.#nextChunk())) return undefined;
    const piece = await this.#reader.some(this.#left);
    if (piece === undefined) return undefined;
    this.#left -= piece.length;
    if (this.#left === 0 && this.#framing.kind === 'length') this.#complete = true;
    return piece;
  }

  /** Whatever is left of it. */
  async rest(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let piece = await this.next(); piece !== undefined; piece = await this.next()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async #nextChunk(): Promise<boolean> {
    // Read late: the line end behind a chunk may come no sooner than the next one.
    if (this.#begun) await this.#reader.through('\r\n');
    this.#begun = true;
    const line = await this.#reader.through('\r\n');
    if (line === undefined) return false;
    const size = line.toString('latin1').trim().split(';')[0] ?? '';
    if (!/^[0-9a-f]+$/i.test(size)) throw new Error(`not a chunk size: ${JSON.stringify(size.slice(0, 40))}`);
    this.#left = Number.parseInt(size, 16);
    if (this.#left > 0) return true;
    for (;;) {
      const trailer = (await this.#reader.through('\r\n'))?.toString('latin1').trim();
      if (trailer === undefined) return false;
      if (trailer === '') break;
      this.#trailers.push(trailer);
    }
    this.#complete = true;
    return false;
  }
}
