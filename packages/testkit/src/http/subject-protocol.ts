import type { Anchor, AuditRecord } from '@caracal/core';

/** What a child says, one a line. */
export type SubjectReport =
  | { readonly listening: number }
  | { readonly record: AuditRecord }
  | { readonly revoked: true };

/** What a child is told after its configuration, one a line. */
export type SubjectOrder = { readonly revoke: Anchor } | { readonly close: true };

/** A line of a child; `undefined` where it is ordinary output. */
export function parseReport(line: string): SubjectReport | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const report = JSON.parse(line) as Record<string, unknown>;
    return 'listening' in report || 'record' in report || 'revoked' in report
      ? (report as unknown as SubjectReport)
      : undefined;
  } catch {
    // A log line may begin like JSON without being it.
    return undefined;
  }
}
