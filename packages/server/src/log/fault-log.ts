import type { Log } from './log.js';

/** Lines a second that tell of faults; the next one says how many were left out. */
const MAX_LINES_PER_SECOND = 10;

/** A fault on our side, of the gateway or the token service. */
export interface ToldFault {
  readonly requestId: string | undefined;
  readonly reason: string;
  readonly cause: unknown;
}

/**
 * Tells of faults, at most so many a second: a caller without a mandate can cause some while an issuer is down. Of a cause
 * only its name and code go to the log, because its text may hold what a library put there.
 */
export function faultLog(log: Log, event: string, monotonic: () => number = () => performance.now()) {
  let since = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let omitted = 0;
  return ({ requestId, reason, cause }: ToldFault, code: string): void => {
    const now = monotonic();
    if (now - since >= 1000) {
      since = now;
      lines = 0;
    }
    if (lines >= MAX_LINES_PER_SECOND) {
      omitted += 1;
      return;
    }
    lines += 1;
    const told = omitted > 0 ? { omitted } : {};
    omitted = 0;
    log({ level: 'error', event, requestId, code, reason, cause: causeName(cause), ...told });
  };
}

/** What may be told of a cause. */
export function causeName(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  if (!(cause instanceof Error)) return typeof cause;
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === 'string' ? `${cause.name} ${code}` : cause.name;
}
