/**
 * Follows the frame headers of one direction of a WebSocket, however its bytes are cut into chunks, and knows where a
 * frame ends. It judges nothing and looks into no payload: masks, reserved bits and opcodes are the endpoints' affair.
 * @see RFC 6455 section 5.2
 */
export class FrameTracker {
  /** Bytes of the present header seen so far. */
  #seen = 0;
  #headerBytes = SHORTEST_HEADER;
  /** Bytes of the extended length in the present header. */
  #lengthBytes = 0;
  #payloadBytes = 0;
  /** Bytes of the present payload still to come. */
  #left = 0;
  #opcode = 0;
  #closed = false;

  /** No frame has begun that has not ended: something else may be said here. */
  get between(): boolean {
    return this.#seen === 0 && this.#left === 0;
  }

  /** A close frame has begun: after it an endpoint sends nothing more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Follows all of a chunk. */
  follow(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) at = this.#step(chunk, at);
  }

  /** Follows a chunk to the end of the present frame, and tells how many bytes of it that was: none between frames. */
  followFrame(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && !this.between) at = this.#step(chunk, at);
    return at;
  }

  /** One byte of a header, or as much of a payload as there is. */
  #step(chunk: Uint8Array, at: number): number {
    if (this.#left > 0) {
      const taken = Math.min(this.#left, chunk.length - at);
      this.#left -= taken;
      return at + taken;
    }
    this.#header(chunk[at]!);
    return at + 1;
  }

  #header(byte: number): void {
    const position = this.#seen;
    this.#seen += 1;
    if (position === 0) {
      this.#opcode = byte & 0x0f;
    } else if (position === 1) {
      const length = byte & 0x7f;
      this.#lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#payloadBytes = this.#lengthBytes === 0 ? length : 0;
      this.#headerBytes = SHORTEST_HEADER + this.#lengthBytes + (byte & 0x80 ? MASK_BYTES : 0);
    } else if (position < SHORTEST_HEADER + this.#lengthBytes) {
      // Above 2^53 this is not exact, and need not be: such a frame does not end in anybody's lifetime.
      this.#payloadBytes = this.#payloadBytes * 256 + byte;
    }
    if (this.#seen < this.#headerBytes) return;
    this.#seen = 0;
    this.#headerBytes = SHORTEST_HEADER;
    this.#left = this.#payloadBytes;
    if (this.#opcode === CLOSE) this.#closed = true;
  }
}

const SHORTEST_HEADER = 2;
const MASK_BYTES = 4;
const CLOSE = 0x8;
