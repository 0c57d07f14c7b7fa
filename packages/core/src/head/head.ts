import type { ErrorCode } from '../errors.js';

/** Whether a caller is still there, for whoever waits on its behalf. */
export interface Presence {
  /** Aborts when the caller has gone. Made when first read: most requests wait for nothing. */
  readonly signal: AbortSignal;
}

/** The head of a request, as an adapter saw it. Nothing in it has been checked. */
export interface RequestHead {
  readonly method: string;
  /** Request target as received, byte for byte (one char a byte, latin1). */
  readonly target: string;
  /** Flat name, value, name, value list in order of arrival, repeated names kept, values latin1. */
  readonly headers: readonly string[];
  /**
   * Raw bytes that a framework took off the front of the path before it handed the request on (`/gateway`); not in
   * `target`. References the caller gets lead through it.
   */
  readonly removedPrefix?: string;
  /** `1.0`, `1.1`, `2.0`. */
  readonly httpVersion: string;
  readonly peer: { readonly address: string };
  /** The runtime treats this as an upgrade (RFC 9110 7.8). */
  readonly upgrade: boolean;
  /** `joined`: a runtime that cannot show raw headers or targets (Deno.serve, fetch); duplicates were joined before us. */
  readonly fidelity: 'raw' | 'joined';
  /** Of whoever sent it; absent where nobody can tell. */
  readonly presence?: Presence | undefined;
}

/** A finished answer of the gateway's own. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly status: number;
  /** Flat name, value list. */
  readonly headers: readonly string[];
  readonly body: string;
  /** `undefined` for the answer to a CORS preflight, which refuses nothing. */
  readonly code: ErrorCode | undefined;
  readonly requestId: string;
}
