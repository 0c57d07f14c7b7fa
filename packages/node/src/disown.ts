import type { ServerResponse } from 'node:http';

type Callback = () => void;

/**
 * Makes what a handler still does to a response that was answered over its head come to nothing. Node would throw
 * (`ERR_HTTP_HEADERS_SENT`), emit an error that nobody listens for, or write an interim head behind the answer; in a handler
 * that waited for something the first two end the process.
 */
export function disown(res: ServerResponse): void {
  const same = () => res;
  const nothing = () => {};
  const discard = (...args: unknown[]): boolean => {
    const done = args.at(-1);
    if (typeof done === 'function') process.nextTick(done as Callback);
    return true;
  };
  Object.assign(res, {
    ...{ writeHead: same, setHeader: same, setHeaders: same, appendHeader: same, removeHeader: nothing },
    ...{ flushHeaders: nothing, writeContinue: nothing, writeProcessing: nothing, writeEarlyHints: nothing },
    ...{ addTrailers: nothing, write: discard },
    end: (...args: unknown[]) => {
      discard(...args);
      return res;
    },
  });
}
