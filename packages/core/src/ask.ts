import { CaracalError, type Denial, deny, type ErrorCode } from './errors.js';
import { type Awaitable, isPromise, type Step } from './pipeline.js';

/**
 * Asks a port. A throw, a rejection or an answer after `timeoutMs` becomes a denial with this code: fail closed, and a
 * fault of ours is never shown as the caller's.
 */
export function ask<T>(code: ErrorCode, timeoutMs: number, question: () => Awaitable<T | Denial>): Step<T> {
  try {
    const answer = question();
    return isPromise(answer) ? inTime(answer, code, timeoutMs) : answer;
  } catch (cause) {
    return failed(code, cause);
  }
}

function inTime<T>(answer: Promise<T | Denial>, code: ErrorCode, timeoutMs: number): Promise<T | Denial> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(deny(code, 'timeout')), timeoutMs);
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (cause: unknown) => {
        clearTimeout(timer);
        resolve(failed(code, cause));
      },
    );
  });
}

/** The denial for a port that has thrown. Our own errors name the reason in fixed text; another's message may hold anything. */
export function failed(code: ErrorCode, cause: unknown): Denial {
  return deny(code, cause instanceof CaracalError ? cause.reason : 'failed', { cause });
}
