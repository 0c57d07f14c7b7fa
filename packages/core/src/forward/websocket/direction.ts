import type { Channel } from '../channel.js';
import { FrameTracker } from './frame-tracker.js';

/** One direction of a WebSocket: what comes from one end goes to the other, as it is. */
export class Direction {
  readonly #from: Channel;
  readonly #to: Channel;
  readonly #frames = new FrameTracker();
  /** Said in place of what would come next, between two frames. */
  #lastWord: Uint8Array | undefined;
  #over = false;
  /** Bytes passed on, without anything of the gateway's own. */
  bytes = 0;
  /** The receiving end was last seen taking nothing more. */
  blocked = false;

  constructor(from: Channel, to: Channel) {
    this.#from = from;
    this.#to = to;
  }

  /** Nothing more is passed on. */
  get over(): boolean {
    return this.#over;
  }

  /** The sending end has said that it closes. */
  get closed(): boolean {
    return this.#frames.closed;
  }

  pass(chunk: Uint8Array): void {
    if (this.#over) return;
    if (this.#lastWord === undefined) {
      this.#frames.follow(chunk);
      this.#write(chunk);
      return;
    }
    const rest = this.#frames.followFrame(chunk);
    if (rest > 0) this.#write(rest === chunk.length ? chunk : chunk.subarray(0, rest));
    if (this.#frames.between) this.#conclude(this.#lastWord);
  }

  ready(): void {
    this.blocked = false;
    this.#from.resume();
  }

  /** The sending end has come to its end. */
  end(): void {
    this.#over = true;
    this.#to.end();
  }

  /** Says this as soon as no frame is open, and passes on nothing after it. */
  endWith(lastWord: Uint8Array): void {
    if (this.#over || this.#lastWord !== undefined) return;
    this.#lastWord = lastWord;
    if (this.#frames.between) this.#conclude(lastWord);
  }

  #write(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (this.#to.write(chunk)) return;
    this.blocked = true;
    this.#from.pause();
  }

  #conclude(lastWord: Uint8Array): void {
    // RFC 6455 section 5.5.1: nothing follows a close frame, not even another one.
    if (!this.#frames.closed) this.#to.write(lastWord);
    this.end();
    // What still comes is read and thrown away: a socket closed over unread bytes sends a reset, and that may take from
    // the other end what was said last.
    if (this.blocked) this.#from.resume();
  }
}
