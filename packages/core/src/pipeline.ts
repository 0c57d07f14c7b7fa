import { Denial } from './errors.js';

/** What a stage answers: the next form of the request, a denial, or either later. */
export type Step<T> = T | Denial | Promise<T | Denial>;

/** A value now or later. Ports may answer synchronously, and then nothing in the pipeline waits. */
export type Awaitable<T> = T | Promise<T>;

/** Whether the value has to be waited for. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Runs `next` on the value: at once where it is here, later where it is a promise, never on a denial. */
export function then<T, R>(value: Step<T>, next: (value: T) => Step<R>): Step<R> {
  if (value instanceof Denial) return value;
  if (isPromise(value)) return value.then((settled) => (settled instanceof Denial ? settled : next(settled)));
  return next(value);
}
