import type { Readable } from 'node:stream';
import type { Transport } from '@caracal/core';
import { Client } from 'undici';
import { Attempt } from './attempt.js';
import { resolveTransportOptions, type TransportOptions } from './options.js';
import { Pools } from './pools.js';

/**
 * The transport under Node: HTTP/1.1 over pooled connections, each dialled to an allowed address and nowhere else.
 *
 * - Header names and values are latin1, in order and case as given; undici puts `Host` and `Connection` first and the
 *   framing last. Trailers of an answer are dropped.
 * - `limits.connectTimeoutMs` bounds the wait for a connection: for a free one, the name, TCP and TLS together. All other
 *   deadlines are the drive's.
 * - A body is read only once its request has a connection. It is never destroyed here: when an attempt is over before
 *   the body is, the body is left paused. With a body, nothing is written before its first byte arrives.
 * - An answer that comes before the body is sent is delivered while the sending goes on; when it is complete, the
 *   connection is closed and the rest of the body stays unread.
 * - After HEAD, after a body on a method that expects none, and wherever one side said so, the connection is closed.
 * - Proxy environment variables are not read.
 *
 * @throws TypeError for unknown or impossible options, where `NODE_TLS_REJECT_UNAUTHORIZED` is `0`, and under Bun, which
 *   puts a stub in the place of undici
 */
export function undiciTransport(options?: TransportOptions): Transport<Readable> {
  // Its stub would answer nothing, ever.
  if (typeof Client.prototype.dispatch !== 'function') {
    throw new TypeError('undici is a stub in this runtime; use fetchTransport() of @caracal/fetch instead');
  }
  const pools = new Pools(resolveTransportOptions(options));
  return {
    dispatch(plan, body, handler) {
      const attempt = new Attempt(plan, body, handler, pools);
      queueMicrotask(() => attempt.begin());
      return attempt;
    },
    close: () => pools.close(),
  };
}
