import type { Outcome } from '../../audit/record.js';
import type { EndReason, Follower, Later } from '../../exchange.js';
import type { Channel, ChannelListener } from '../channel.js';
import { ENDINGS } from '../endings.js';
import { CLOSE_GOING_AWAY, CLOSE_POLICY_VIOLATION, closeFrame } from './close-frame.js';
import { Direction } from './direction.js';

/** For the last frame of each direction, and for both ends to go once one has gone, ms. */
export const CLOSING_TIMEOUT_MS = 1_000;

/** How a WebSocket ended. Byte counts are of both directions after the handshake, frame headers included. */
export interface RelayEnd {
  readonly outcome: Outcome;
  readonly reason: string | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** What a relay needs beside its two ends. */
export interface RelayOptions {
  readonly streamIdleTimeoutMs: number;
  /** Called once, when nothing more is passed on. Both ends close within {@link CLOSING_TIMEOUT_MS}. */
  readonly onEnd: (end: RelayEnd) => void;
}

/**
 * Passes the bytes of a WebSocket both ways until one end closes, nothing moves for too long, or the gateway ends it.
 * The gateway's own end is a close frame each way, put between two frames, so that neither end meets a broken one.
 */
export class Relay implements Follower {
  readonly #options: RelayOptions;
  readonly #caller: Channel;
  readonly #upstream: Channel;
  readonly #up: Direction;
  readonly #down: Direction;
  readonly #open = new Set<Channel>();
  #ended: Pick<RelayEnd, 'outcome' | 'reason'> | undefined;
  #cut = false;
  #told = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #progressed = true;
  #progressAt = 0;

  constructor(caller: Channel, upstream: Channel, options: RelayOptions) {
    this.#caller = caller;
    this.#upstream = upstream;
    this.#options = options;
    this.#up = new Direction(caller, upstream);
    this.#down = new Direction(upstream, caller);
    this.#open.add(caller).add(upstream);
  }

  get tickMs(): number {
    return this.#options.streamIdleTimeoutMs / 4;
  }

  /** Begins to pass. */
  begin(): void {
    this.#caller.open(this.#end(this.#caller, this.#up, this.#down, 'client_aborted'));
    this.#upstream.open(this.#end(this.#upstream, this.#down, this.#up, 'upstream_aborted'));
  }

  tick(now: number): void {
    if (this.#progressed) {
      this.#progressed = false;
      this.#progressAt = now;
    } else if (now - this.#progressAt >= this.#options.streamIdleTimeoutMs) {
      this.#close(CLOSE_GOING_AWAY, 'idle', {
        outcome: this.#down.blocked ? 'client_aborted' : 'timeout',
        reason: 'idle',
      });
    }
  }

  ended(reason: EndReason, later?: Later): void {
    const { code, outcome } = ENDINGS[reason];
    const status = reason === 'shutdown' ? CLOSE_GOING_AWAY : CLOSE_POLICY_VIOLATION;
    this.#close(status, code, { outcome, reason }, later);
  }

  /** What one end tells. `from`: the direction it sends in; `to`: the one it receives. */
  #end(channel: Channel, from: Direction, to: Direction, aborted: Outcome): ChannelListener {
    return {
      onChunk: (chunk) => {
        this.#progressed = true;
        from.pass(chunk);
        this.#tellIfOver();
      },
      onReady: () => {
        this.#progressed = true;
        to.ready();
      },
      onEnd: () => {
        this.#gone(aborted);
        from.end();
        this.#tellIfOver();
      },
      onFinish: () => this.#hurry(),
      onClose: () => {
        this.#open.delete(channel);
        this.#gone(aborted);
        // Without an end before it, it was broken off: what the other end is told then is the same.
        if (!from.over || this.#open.size === 0) this.#destroy();
      },
    };
  }

  /** The first end to go decides how it ended; after a close frame that is in order. */
  #gone(aborted: Outcome): void {
    const outcome = this.#up.closed || this.#down.closed ? 'executed' : aborted;
    this.#ended ??= { outcome, reason: undefined };
  }

  #close(
    status: number,
    reason: string,
    end: Pick<RelayEnd, 'outcome' | 'reason'>,
    later: Later = (rest) => rest(),
  ): void {
    if (this.#cut) return;
    this.#cut = true;
    // Also where one end has gone already: the other may not have heard of it yet, and goes on.
    this.#ended = end;
    try {
      this.#down.endWith(closeFrame(status, reason));
    } finally {
      later(() => {
        this.#hurry();
        this.#up.endWith(closeFrame(status, reason, crypto.getRandomValues(new Uint8Array(4))));
        this.#tellIfOver();
      });
    }
  }

  #hurry(): void {
    this.#timer ??= setTimeout(() => this.#destroy(), CLOSING_TIMEOUT_MS);
  }

  #tellIfOver(): void {
    if (this.#up.over && this.#down.over) this.#tell();
  }

  #tell(): void {
    if (this.#told || this.#ended === undefined) return;
    this.#told = true;
    this.#options.onEnd({ ...this.#ended, requestBytes: this.#up.bytes, responseBytes: this.#down.bytes });
  }

  #destroy(): void {
    clearTimeout(this.#timer);
    this.#caller.destroy();
    this.#upstream.destroy();
    this.#tell();
  }
}
