import type { AuditRecord, Outcome } from './record.js';

/** Which records are wanted of a store of evidence: all that are named must agree. */
export interface AuditFilter {
  /** At or after. */
  readonly since?: Date | string;
  /** Before. */
  readonly until?: Date | string;
  /** At most so many, oldest first. */
  readonly limit?: number;
  readonly zone?: string;
  readonly application?: string;
  readonly resource?: string;
  readonly decision?: NonNullable<AuditRecord['decision']>;
  readonly outcome?: Outcome;
  readonly requestId?: string;
}
