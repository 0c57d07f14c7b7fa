import type { Durability, RecordType } from '@caracal/core';

/**
 * How records and answers to them look between a worker and the process that owns the journal. Both run the same program, so
 * nothing here is kept or versioned. Numbers are little-endian.
 *
 * - record: `u32` length of the members, `u16` length of the request id, `u8` what it is of its request, `u8` durability, id, members
 * - answer: `f64` number of the first record it is about, `u32` how many, `u16` length of the reason, reason; none: taken
 *
 * Records are numbered from 0 in the order in which they were sent. What is no record but says whose records follow has no number.
 */
const RECORD_HEAD = 8;
const ANSWER_HEAD = 14;

const CHUNK_BYTES = 64 * 1024;
/** A journal's line holds no more. */
export const MAX_RECORD_BYTES = 256 * 1024;

const DURABILITIES: readonly Durability[] = ['buffered', 'written', 'synced'];

/** What a record is of its request. `gateway`: no record, but the gateway whose records follow. */
export type FrameKind = 'none' | 'beginning' | 'end' | 'gateway';
const KINDS: readonly FrameKind[] = ['none', 'beginning', 'end', 'gateway'];

/** What a record of this type is of the request it names. */
export function kindOf(type: RecordType, requestId: string | undefined): FrameKind {
  if (requestId === undefined) return 'none';
  return type === 'request.authorized' ? 'beginning' : 'end';
}

/** Frames that wait to be sent, one behind the other. */
export class RecordFrames {
  #bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #end = 0;

  get length(): number {
    return this.#end;
  }

  add(kind: FrameKind, durability: Durability, requestId: string, members: Uint8Array): void {
    const idBytes = Buffer.byteLength(requestId);
    this.#reserve(RECORD_HEAD + idBytes + members.length);
    const bytes = this.#bytes;
    let at = bytes.writeUInt32LE(members.length, this.#end);
    at = bytes.writeUInt16LE(idBytes, at);
    bytes[at++] = KINDS.indexOf(kind);
    bytes[at++] = DURABILITIES.indexOf(durability);
    at += bytes.write(requestId, at, idBytes, 'utf8');
    bytes.set(members, at);
    this.#end = at + members.length;
  }

  /** Has them sent. `send` answers whether it needs the bytes no longer. */
  send(send: (bytes: Uint8Array) => boolean): void {
    const again = send(this.#bytes.subarray(0, this.#end)) && this.#bytes.length === CHUNK_BYTES;
    this.#end = 0;
    if (!again) this.#bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#end + more));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
  }
}

/** Told of each record that came. `members` stay as they are. */
export type OnRecord = (kind: FrameKind, durability: Durability, requestId: string, members: Uint8Array) => void;

/** Takes records apart, in whatever pieces they come. @throws Error for what no worker of ours sends */
export class RecordReader {
  readonly #pieces = new Pieces();
  readonly #onRecord: OnRecord;

  constructor(onRecord: OnRecord) {
    this.#onRecord = onRecord;
  }

  receive(chunk: Buffer): void {
    const bytes = this.#pieces.joined(chunk);
    let at = 0;
    while (bytes.length - at >= RECORD_HEAD) {
      const length = bytes.readUInt32LE(at);
      const kind = KINDS[bytes[at + 6]!];
      const durability = DURABILITIES[bytes[at + 7]!];
      if (length > MAX_RECORD_BYTES || kind === undefined || durability === undefined)
        throw new Error('what came is no record of a worker');
      const idStart = at + RECORD_HEAD;
      const start = idStart + bytes.readUInt16LE(at + 4);
      if (start + length > bytes.length) break;
      at = start + length;
      this.#onRecord(kind, durability, bytes.toString('utf8', idStart, start), bytes.subarray(start, at));
    }
    this.#pieces.keep(bytes, at);
  }
}

/** What became of records: of `count`, from the number `first` on. No reason: they are as durable as they were asked to be. */
export interface RecordAnswer {
  readonly first: number;
  count: number;
  readonly reason: string;
}

/** Answers as they are sent. */
export function answerBytes(answers: readonly RecordAnswer[]): Uint8Array {
  const length = answers.reduce((sum, { reason }) => sum + ANSWER_HEAD + reason.length, 0);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { first, count, reason } of answers) {
    at = bytes.writeDoubleLE(first, at);
    at = bytes.writeUInt32LE(count, at);
    at = bytes.writeUInt16LE(reason.length, at);
    at += bytes.write(reason, at, 'latin1');
  }
  return bytes;
}

/** Takes answers apart, in whatever pieces they come. */
export class AnswerReader {
  readonly #pieces = new Pieces();
  readonly #onAnswer: (answer: RecordAnswer) => void;

  constructor(onAnswer: (answer: RecordAnswer) => void) {
    this.#onAnswer = onAnswer;
  }

  receive(chunk: Buffer): void {
    const bytes = this.#pieces.joined(chunk);
    let at = 0;
    while (bytes.length - at >= ANSWER_HEAD) {
      const start = at + ANSWER_HEAD;
      const end = start + bytes.readUInt16LE(at + 12);
      if (end > bytes.length) break;
      const reason = bytes.toString('latin1', start, end);
      this.#onAnswer({ first: bytes.readDoubleLE(at), count: bytes.readUInt32LE(at + 8), reason });
      at = end;
    }
    this.#pieces.keep(bytes, at);
  }
}

/** The beginning of a frame whose rest has not come. */
class Pieces {
  #rest: Buffer | undefined;

  joined(chunk: Buffer): Buffer {
    return this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  keep(bytes: Buffer, from: number): void {
    this.#rest = from === bytes.length ? undefined : bytes.subarray(from);
  }
}
