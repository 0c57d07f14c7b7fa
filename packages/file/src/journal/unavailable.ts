import { CaracalError } from '@caracal/core';

/** What an append is refused with: the gateway answers `audit_unavailable` before anything goes upstream. */
export function unavailable(
  reason: 'closed' | 'journal_full' | 'record_too_large' | 'write_failed' | 'sync_failed',
  cause?: unknown,
): CaracalError {
  return new CaracalError('audit_unavailable', reason, cause === undefined ? undefined : { cause });
}
