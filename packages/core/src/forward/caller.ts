import type { Refusal } from '../head/head.js';
import type { Channel } from './channel.js';

/** How an adapter answers one caller. The drive calls; a caller that is gone is told to the drive, see `Driven`. */
export interface Caller<Body = unknown> {
  /** The request's body for the transport; `null` where there is none. */
  readonly body: Body | null;
  /** An interim response. `headers` is a flat name, value list. */
  interim(status: number, headers: string[]): void;
  respond(status: number, headers: string[]): void;
  /** `false` means: not ready for more until the adapter calls `Driven.ready()`. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  /** Instead of `respond`: a finished answer of the gateway's own. What is left of the request's body is not awaited. */
  refuse(refusal: Refusal): void;
  /** Breaks the answer off so that the caller can tell: no last chunk, the connection is destroyed. */
  destroy(): void;
}

/** A caller who asks for a WebSocket, behind an adapter that can hand over the connection. */
export interface UpgradeCaller<Body = unknown> extends Caller<Body> {
  /**
   * Instead of `respond`: answers 101 with these headers and hands over the connection. What the caller has sent behind its
   * request is the first that the channel delivers. The adapter is done with this caller.
   * @throws where a header may not be written; nothing is written then
   */
  switchProtocols(headers: string[]): Channel;
}

/** Whether the connection of this caller can be handed over. */
export function canSwitch<Body>(caller: Caller<Body>): caller is UpgradeCaller<Body> {
  return typeof (caller as Partial<UpgradeCaller<Body>>).switchProtocols === 'function';
}

/** An exchange under way, seen from the adapter. */
export interface Driven {
  /** The caller can take more. */
  ready(): void;
  /** The caller has gone away before its answer was complete. */
  gone(): void;
}
