import type { Credential } from './attach/provider.js';
import type { TraceContext } from './forward/trace-context.js';
import type { CheckedHead } from './head/check-head.js';
import type { RequestHead } from './head/head.js';
import type { WebSocketOffer } from './head/websocket-offer.js';
import type { Operation } from './resolve/operations.js';
import type { Resource } from './resolve/resource.js';
import type { Mandate } from './verify/mandate.js';

/**
 * A request on its way through the pipeline. Each stage takes one of the types below and answers the next, so that the
 * compiler keeps the order; underneath it is one object that grows, and what it holds when a stage denies is what the
 * record may say.
 */
export interface Received {
  readonly requestId: string;
  readonly head: RequestHead;
  /** Wall clock, ms since the epoch. */
  readonly receivedAt: number;
  /** Monotonic clock, ms. */
  readonly startedAt: number;
  /** The trace this request belongs to. */
  readonly trace: TraceContext;
  /** How far its evidence is; changed by the recorder alone. */
  evidence: 'none' | 'reserved' | 'appending' | 'authorized' | 'closed';
}

/** What a stage of any depth may have learned of a request: what a record of its refusal draws on. */
export type PartlyAdmitted = Received & Partial<Attached>;

/** Adds what a stage has learned. */
export function learn<T extends Received, More extends object>(admission: T, more: More): T & More {
  return Object.assign(admission, more);
}

/** After rows 1 and 2: the head is in order. */
export interface Checked extends Received {
  readonly request: CheckedHead;
}

/** After rows 3 and 4: a trusted issuer signed the mandate. */
export interface Verified extends Checked {
  readonly mandate: Mandate;
  /** The mandate's text. */
  readonly token: string;
}

/** After row 7: the resource is known, and the mandate reaches it. */
export interface Resolved extends Verified {
  readonly resource: Resource;
  /** Raw path after the mount prefix: what operations, authorizers and the upstream see. */
  readonly path: string;
  /** Raw prefix that was removed, by a framework and by the mount; empty where none was. */
  readonly mountPrefix: string;
  readonly operation: Operation | undefined;
  /** The WebSocket that is asked for; learned in row 8, absent for every other request. */
  readonly upgrade?: WebSocketOffer;
}

/** After row 15: the credential is at hand. */
export interface Attached extends Resolved {
  readonly credential: Credential;
  readonly policies: readonly string[];
}

/**
 * What stages learn, before any has: an object that has all its members from the start keeps its shape, and is not copied to
 * make room.
 */
export type Unlearned = { readonly [Member in Exclude<keyof Attached, keyof Received>]: undefined };
