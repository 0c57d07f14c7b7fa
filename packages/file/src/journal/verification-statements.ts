import type { VerificationReport } from './verification-report.js';

type Facts = Omit<VerificationReport, 'proved' | 'notProved'>;

/** What a verification proves and cannot prove, in words. */
export function statements(
  facts: Facts,
  { trustedKey }: { readonly trustedKey: boolean },
): Pick<VerificationReport, 'proved' | 'notProved'> {
  const proved: string[] = [];
  const notProved: string[] = [];
  if (!facts.ok) return { proved, notProved: ['the journal is not as it was written: see failure'] };
  proved.push('no record was changed, dropped, moved or added between the first and the last by accident');
  if (trustedKey && facts.uncovered < facts.records) {
    proved.push('up to the last head, the records are those that the holder of the given key signed');
  } else {
    notProved.push(
      trustedKey
        ? 'who wrote the records: no head is signed with the given key'
        : 'who wrote the records: without a public key from elsewhere whoever can write the directory can make another journal',
    );
  }
  if (trustedKey && facts.uncoveredOutside < facts.records) {
    proved.push('nothing up to the last head from elsewhere was cut off or replaced');
  } else {
    notProved.push('that no last records were cut off together with their heads: that takes heads kept elsewhere');
  }
  if (facts.uncovered > 0) notProved.push(`the last ${facts.uncovered} records: no head covers them`);
  if (trustedKey && facts.uncoveredOutside > facts.uncovered && facts.heads.outside > 0) {
    notProved.push(`that ${facts.uncoveredOutside} last records are all: no head from elsewhere covers them`);
  }
  const lost = facts.recoveries.flatMap(({ torn }) => torn).reduce((lines, tail) => lines + tail.lines, 0);
  if (lost > 0) notProved.push(`what ${lost} whole lines said that were found damaged at a start and set aside`);
  if (facts.removedThrough !== undefined) notProved.push('what the records said that retention removed');
  return { proved, notProved };
}
