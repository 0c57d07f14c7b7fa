/**
 * Why a document could not be had. `address`, `unreachable`, `timeout`, `closed`, `invalid` as for a transport's failure;
 * `request`: the request itself is not possible; `too_large`: over `maxBytes`; `encoded`: compressed although asked not to be.
 */
export type OutboundErrorReason =
  | 'request'
  | 'address'
  | 'unreachable'
  | 'timeout'
  | 'closed'
  | 'invalid'
  | 'too_large'
  | 'encoded';

const MESSAGES: Readonly<Record<OutboundErrorReason, string>> = Object.freeze({
  request: 'the outbound request is not possible',
  address: 'the outbound address is not allowed',
  unreachable: 'the outbound host could not be reached',
  timeout: 'the outbound request did not finish in time',
  closed: 'the outbound connection was closed early',
  invalid: 'the outbound answer is not valid HTTP',
  too_large: 'the outbound answer is too large',
  encoded: 'the outbound answer is compressed although identity was asked for',
});

/** A document could not be had within its limits. `message` is fixed text without any part of the URL. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly reason: OutboundErrorReason;

  constructor(reason: OutboundErrorReason, options?: { readonly cause?: unknown }) {
    super(MESSAGES[reason], options);
    this.reason = reason;
  }
}
