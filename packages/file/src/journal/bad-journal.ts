import type { VerificationFailure } from './verification-report.js';

/** Ends a verification: the first bad thing is what counts. */
export class BadJournal extends Error {
  readonly failure: VerificationFailure;

  constructor(failure: Pick<VerificationFailure, 'reason' | 'message'> & Partial<VerificationFailure>) {
    super(failure.message);
    this.failure = { file: undefined, line: undefined, chain: undefined, seq: undefined, ...failure };
  }
}
