import { type Dispatched, type Plan, refuseUnknownOptions, type Transport, type TransportHandler } from '@caracal/core';
import { checkEnvironment } from './environment.js';
import { FetchAttempt } from './fetch-attempt.js';
import { hostOf, isLiteral } from './literal-host.js';

/**
 * `fetch` resolves names by itself and does not say to what, so the address policy of a resource cannot be held for an
 * upstream that has a name: such upstreams are refused (502 `upstream_not_allowed`) unless this option is `true`. Set it
 * where the platform keeps requests out of your network (Workers), or a proxy of yours judges addresses: only then is one that
 * the environment names (`HTTPS_PROXY`) used.
 */
export const judgeNoNames: unique symbol = Symbol('caracal.judgeNoNames');

/** Options of {@link fetchTransport}. */
export interface FetchTransportOptions {
  readonly [judgeNoNames]?: boolean;
}

/**
 * A transport by the runtime's `fetch`, for where there is nothing else. Redirects are not followed. Upstreams that are
 * literal addresses are judged by the resource's address policy, for names see {@link judgeNoNames}; what `fetch` would
 * rewrite in a target is not sent (`invalid`), `tls` options cannot be held and are refused (`unreachable`).
 *
 * `Accept-Encoding` is `identity` where the runtime decodes bodies (all but Bun); an answer that is encoded all the same
 * arrives decoded, without the headers that describe it encoded. Interim responses are not seen, no connection has a
 * deadline of its own, and nothing is sent a second time. Runtimes add headers (`User-Agent`, `Accept`) that are not there.
 * @throws TypeError for an unknown option, where `NODE_TLS_REJECT_UNAUTHORIZED` is `0`, and where the environment names a proxy
 * that this runtime's `fetch` would obey
 */
export function fetchTransport(options: FetchTransportOptions = {}): Transport<ReadableStream<Uint8Array>> {
  refuseUnknownOptions('fetchTransport', options, []);
  const namesPass = options[judgeNoNames] === true;
  checkEnvironment(namesPass);
  return {
    dispatch(plan, body, handler): Dispatched {
      const attempt = new FetchAttempt(plan, body, handler, namesPass);
      queueMicrotask(() => begin(attempt, plan, handler, namesPass));
      return attempt;
    },
    close: async () => {},
  };
}

function begin(attempt: FetchAttempt, plan: Plan, handler: TransportHandler, namesPass: boolean): void {
  if (attempt.over) return;
  const host = hostOf(plan.origin);
  if (isLiteral(host) ? !plan.addressPolicy.allows(host) : !namesPass) {
    return handler.onFailure({ kind: 'address', cause: new Error('fetch cannot judge the address of this upstream') });
  }
  if (plan.tls !== undefined) {
    return handler.onFailure({ kind: 'unreachable', cause: new TypeError('fetch takes no TLS options') });
  }
  if (isRewritten(plan)) {
    return handler.onFailure({ kind: 'invalid', cause: new TypeError('fetch would rewrite this target') });
  }
  attempt.begin();
}

/**
 * Whether `fetch` would make another target of it: the URL parser does, through which everything goes, and Bun leaves out
 * the first of two slashes.
 */
export function isRewritten({ origin, target }: Pick<Plan, 'origin' | 'target'>): boolean {
  if (target.startsWith('//')) return true;
  const text = origin + target;
  return !URL.canParse(text) || new URL(text).href !== text;
}
