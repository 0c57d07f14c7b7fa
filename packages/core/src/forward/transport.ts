import type { Channel } from './channel.js';
import type { Plan } from './plan.js';

/**
 * Why an attempt failed.
 * - `address`: no resolved address is allowed. `unreachable`: no connection could be had. `timeout`: no connection in time.
 * - `closed`: the connection ended before any byte of an answer, or after its head. `invalid`: what came was not valid
 *   HTTP, or ended within the head.
 * - `body`: the caller's body ended early or failed.
 */
export type TransportFailureKind = 'address' | 'unreachable' | 'timeout' | 'closed' | 'invalid' | 'body';

export interface TransportFailure {
  readonly kind: TransportFailureKind;
  /** For logs; may name addresses, so it goes to no caller. */
  readonly cause: unknown;
}

/**
 * Events of one attempt, in order: `onStart`, `onBodyBytes`*, `onInterim`*, `onHead`, `onChunk`*, then `onEnd` or `onFailure`;
 * or `onSwitch` in place of `onHead`, and nothing after it.
 */
export interface TransportHandler {
  /** A connection was chosen and the first bytes are about to be written. `reused`: it has served a request before. */
  onStart(reused: boolean): void;
  /** So many bytes of the caller's body come next; ended now, the attempt writes none of them. */
  onBodyBytes(count: number): void;
  /** The whole request, with its body, was handed to the connection. */
  onSent(): void;
  /** An interim response (1xx but 100 and 101). `headers` is a flat name, value list, values latin1. */
  onInterim(status: number, headers: string[]): void;
  onHead(status: number, headers: string[]): void;
  /**
   * 101 to a plan with an `upgrade`: the connection is handed over, with the bytes that came behind the answer. Whether the
   * upstream answers the offer is not checked here.
   */
  onSwitch(headers: string[], upstream: Channel): void;
  /** `false` means: deliver nothing more until `resume()`. */
  onChunk(chunk: Uint8Array): boolean;
  onEnd(): void;
  /** The last event, instead of `onEnd`. After `abort()` no event follows at all. */
  onFailure(failure: TransportFailure): void;
}

/** An attempt under way. */
export interface Dispatched {
  resume(): void;
  /** Gives the attempt up and closes its connection. Idempotent; no event follows. */
  abort(): void;
}

/**
 * How bytes reach an upstream. `Body` is whatever the adapter and the transport agree on; core never looks into it.
 */
export interface Transport<Body = unknown> {
  /** Never throws and calls no event before it has returned. */
  dispatch(plan: Plan, body: Body | null, handler: TransportHandler): Dispatched;
  /** Closes every pool. Idempotent. */
  close(): Promise<void>;
}
