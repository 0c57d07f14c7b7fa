import { type AuditFilter, RECORD_TYPES } from '@caracal/core';
import type { OptionSpecs, OptionValues } from '../frame/command.js';
import { wrongUse } from '../frame/command-error.js';
import { instant } from './instant.js';

const DECISIONS = ['allowed', 'denied', 'preflight'] as const;
const OUTCOMES = [
  'executed',
  'refused',
  'upstream_error',
  'upstream_aborted',
  'timeout',
  'client_aborted',
  'revoked_mid_stream',
  'expired_mid_stream',
  'shutdown',
] as const;

/** Which records, by what they say. */
export const FILTER_OPTIONS = {
  type: { type: 'string', value: 'TYPE', choices: RECORD_TYPES, help: `of this type: ${RECORD_TYPES.join(', ')}` },
  zone: { type: 'string', value: 'ID', help: 'of this zone' },
  application: { type: 'string', value: 'ID', help: 'of this application' },
  resource: { type: 'string', value: 'ID', help: 'of this resource' },
  subject: { type: 'string', value: 'ID', help: 'of this subject, a mandate’s `sub`' },
  decision: { type: 'string', choices: DECISIONS, help: 'so decided' },
  outcome: { type: 'string', value: 'OUTCOME', choices: OUTCOMES, help: `so ended: ${OUTCOMES.join(', ')}` },
  'request-id': { type: 'string', value: 'ID', help: 'of this request' },
} as const satisfies OptionSpecs;

/** Which records, by when they were written. */
export const PERIOD_OPTIONS = {
  since: { type: 'string', value: 'TIME', help: 'at or after: 2026-11-25T14:00:00Z, or how long ago: 15m, 2h, 7d' },
  until: { type: 'string', value: 'TIME', help: 'before' },
  limit: { type: 'string', value: 'N', help: 'at most so many, oldest first' },
} as const satisfies OptionSpecs;

/** The filter that options ask for. @throws CommandError */
export function journalFilter(
  options: OptionValues<typeof FILTER_OPTIONS> & Partial<OptionValues<typeof PERIOD_OPTIONS>>,
): AuditFilter {
  const now = Date.now();
  const since = instant('since', options.since, now);
  const until = instant('until', options.until, now);
  if (since !== undefined && until !== undefined && since >= until) {
    throw wrongUse('--since is not before --until: no record can match');
  }
  const members = {
    since,
    until,
    limit: wholeNumber('limit', options.limit),
    type: options.type,
    zone: options.zone,
    application: options.application,
    resource: options.resource,
    subject: options.subject,
    decision: options.decision,
    outcome: options.outcome,
    requestId: options['request-id'],
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as AuditFilter;
}

/** Reads a whole number above 0. @throws CommandError */
export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw wrongUse(`--${option} is a whole number above 0`);
  return Number(text);
}
