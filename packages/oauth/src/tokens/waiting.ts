import { CALLER_LEFT, type Denial, deny, type Presence } from '@caracal/core';
import { faultOf, type OAuthFault } from '../oauth-fault.js';

/** Requests that may wait for one token at once; more are refused. */
export const MAX_WAITING = 1_000;

/** Those who wait for one thing: bounded, and each free to leave. */
export class Waiting {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * Waits for `work`, which goes on without its waiters. Answers a denial where too many wait already, where the work fails, and
   * where the caller has left.
   */
  for<T>(work: Promise<T>, presence: Presence | undefined): Promise<T | Denial> {
    if (this.#count >= MAX_WAITING) return Promise.resolve(deny('credential_unavailable', 'token_waiters_full'));
    const signal = presence?.signal;
    if (signal?.aborted) return Promise.resolve(callerLeft());
    this.#count++;
    return new Promise((resolve) => {
      const settle = (answer: T | Denial): void => {
        signal?.removeEventListener('abort', leave);
        if (settled) return;
        settled = true;
        this.#count--;
        resolve(answer);
      };
      const leave = (): void => settle(callerLeft());
      let settled = false;
      signal?.addEventListener('abort', leave, { once: true });
      work.then(settle, (cause: unknown) => settle(deniedBy(faultOf(cause, 'token_failed'))));
    });
  }
}

/** The denial of a request whose token could not be had. */
export function deniedBy(fault: OAuthFault, waitMs?: number): Denial {
  const retryAfterSeconds = waitMs === undefined ? undefined : Math.max(1, Math.ceil(waitMs / 1_000));
  return deny(
    'credential_unavailable',
    fault.reason,
    retryAfterSeconds === undefined ? undefined : { retryAfterSeconds },
  );
}

function callerLeft(): Denial {
  return deny('credential_unavailable', CALLER_LEFT);
}
