import { randomBytes } from 'node:crypto';
import { within } from './deadline.js';
import type { SocketReader } from './socket-reader.js';

/** How long a frame is waited for, ms. */
export const FRAME_DEADLINE_MS = 4_000;

/** @see RFC 6455 section 5.2 */
export const OPCODE = Object.freeze({ continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 });

/** A frame to be written. */
export interface FrameParts {
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  /** Default true. */
  readonly final?: boolean;
  /** The first reserved bit: a compressed message. */
  readonly rsv1?: boolean;
  /** Spells the length with so many bytes, also where fewer would do. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** A frame as it came. */
export interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly rsv1: boolean;
  readonly masked: boolean;
  /** Without its mask. */
  readonly payload: Buffer;
  readonly text: string;
  /** The exact bytes. */
  readonly bytes: Buffer;
}

/** The bytes of a frame; masked where it goes to a server. */
export function frameBytes(parts: FrameParts, masked: boolean): Buffer {
  const { opcode, payload = '', final = true, rsv1 = false } = parts;
  const content = Buffer.from(payload);
  const lengthBytes = parts.lengthBytes ?? (content.length < 126 ? 0 : content.length < 65_536 ? 2 : 8);
  const extended = Buffer.alloc(lengthBytes);
  if (lengthBytes === 2) extended.writeUInt16BE(content.length);
  if (lengthBytes === 8) extended.writeBigUInt64BE(BigInt(content.length));
  const short = lengthBytes === 0 ? content.length : lengthBytes === 2 ? 126 : 127;
  const head = Buffer.from([(final ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode, (masked ? 0x80 : 0) | short]);
  if (!masked) return Buffer.concat([head, extended, content]);
  const mask = randomBytes(4);
  return Buffer.concat([head, extended, mask, applied(mask, content)]);
}

/** The next frame; `undefined` where the stream ends before one is complete. */
async function readFrame(reader: SocketReader): Promise<Frame | undefined> {
  const head = await reader.exactly(2);
  if (head === undefined) return undefined;
  const short = head[1]! & 0x7f;
  const masked = (head[1]! & 0x80) !== 0;
  const extended = await reader.exactly(short === 126 ? 2 : short === 127 ? 8 : 0);
  const mask = await reader.exactly(masked ? 4 : 0);
  if (extended === undefined || mask === undefined) return undefined;
  const length = short === 126 ? extended.readUInt16BE() : short === 127 ? Number(extended.readBigUInt64BE()) : short;
  const content = await reader.exactly(length);
  if (content === undefined) return undefined;
  const payload = masked ? applied(mask, content) : Buffer.from(content);
  return {
    opcode: head[0]! & 0x0f,
    final: (head[0]! & 0x80) !== 0,
    rsv1: (head[0]! & 0x40) !== 0,
    masked,
    payload,
    text: payload.toString('utf8'),
    bytes: Buffer.concat([head, extended, mask, content]),
  };
}

function applied(mask: Buffer, content: Buffer): Buffer {
  return Buffer.from(content.map((byte, index) => byte ^ mask[index % 4]!));
}

/** One end of a WebSocket that writes and reads exact frames, and answers none by itself. */
export class FramePeer {
  readonly #reader: SocketReader;
  readonly #write: (bytes: Uint8Array) => Promise<boolean>;
  readonly #masks: boolean;
  /** Bytes written so far, frame headers included. */
  sent = 0;

  /** @param masks whether this end is the client */
  constructor(reader: SocketReader, write: (bytes: Uint8Array) => Promise<boolean>, masks: boolean) {
    this.#reader = reader;
    this.#write = write;
    this.#masks = masks;
  }

  /** Writes a frame; gives its bytes. */
  async send(parts: FrameParts): Promise<Buffer> {
    const bytes = frameBytes(parts, this.#masks);
    await this.raw(bytes);
    return bytes;
  }

  /** Writes a text message. */
  text(text: string): Promise<Buffer> {
    return this.send({ opcode: OPCODE.text, payload: text });
  }

  /** Writes a close frame. */
  close(code: number, reason = ''): Promise<Buffer> {
    return this.send({ opcode: OPCODE.close, payload: Buffer.from([code >> 8, code & 0xff, ...Buffer.from(reason)]) });
  }

  /** Writes bytes as they are; `false` where the connection is gone. */
  raw(bytes: Uint8Array): Promise<boolean> {
    this.sent += bytes.length;
    return this.#write(bytes);
  }

  /** The next frame; fails where the stream ends instead. */
  async next(): Promise<Frame> {
    const frame = await this.nextOrEnd();
    if (frame === undefined) throw new Error('the WebSocket ended without another frame');
    return frame;
  }

  /** The next frame, or `undefined` at the end of the stream. */
  nextOrEnd(): Promise<Frame | undefined> {
    return within(readFrame(this.#reader), FRAME_DEADLINE_MS, 'a frame');
  }

  /** Code and reason of the next frame, which closes. */
  async closing(): Promise<{ readonly code: number; readonly reason: string; readonly masked: boolean }> {
    const { opcode, payload, masked } = await this.next();
    if (opcode !== OPCODE.close) throw new Error(`a frame with opcode ${opcode} instead of a close frame`);
    return { code: payload.readUInt16BE(), reason: payload.toString('utf8', 2), masked };
  }

  /** Waits for the end of the stream; gives what came before it. */
  async rest(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    const read = async (): Promise<void> => {
      for (let piece = await this.#reader.some(); piece !== undefined; piece = await this.#reader.some()) {
        pieces.push(piece);
      }
    };
    await within(read(), FRAME_DEADLINE_MS, 'the end of a WebSocket');
    return Buffer.concat(pieces);
  }
}
