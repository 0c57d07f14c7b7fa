import type { AuditRecord, Outcome, RecordType } from './record.js';

/** Which records are wanted of a store of evidence: all that are named must agree. */
export interface AuditFilter {
  /** At or after. */
  readonly since?: Date | string;
  /** Before. */
  readonly until?: Date | string;
  /** At most so many, oldest first. */
  readonly limit?: number;
  readonly type?: RecordType;
  readonly zone?: string;
  readonly application?: string;
  readonly resource?: string;
  /** `sub` of the mandate: one issuer's, so name the zone too where it has several. */
  readonly subject?: string;
  readonly decision?: NonNullable<AuditRecord['decision']>;
  readonly outcome?: Outcome;
  readonly requestId?: string;
}
