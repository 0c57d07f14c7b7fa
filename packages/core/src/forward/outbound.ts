import type { AddressPolicy } from './address-policy.js';

/** One small document to fetch. */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Flat name, value list. */
  readonly headers: readonly string[];
  readonly body: string | undefined;
  /** For the whole of it: connect, answer, body. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly addressPolicy: AddressPolicy;
}

export interface OutboundAnswer {
  readonly status: number;
  /** Flat name, value list. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Port: fetch one small document, following no redirect. A throw means it could not be had within the limits. */
export interface Outbound {
  fetch(request: OutboundRequest): Promise<OutboundAnswer>;
}
