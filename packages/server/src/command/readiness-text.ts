import { escapeForTerminal } from '@caracal/core';
import type { ProviderRow } from './check-providers.js';
import type { ReadinessRow } from './readiness.js';

const MARKS = { passed: '✓', failed: '✗', skipped: '-' } as const;
const WIDTHS = [21, 26, 26] as const;

/** The line above the checks. */
export function readinessHeader(): string {
  return line(['  CHECK', 'EXPECTED', 'ANSWERED', 'REQUEST ID']);
}

/** One check on one line, and a second one for why it failed or was skipped. */
export function readinessLine({
  check,
  expected,
  answered,
  requestId = '',
  result,
  explanation,
}: ReadinessRow): string {
  const first = line([`${MARKS[result]} ${check}`, expected, result === 'skipped' ? 'skipped' : answered, requestId]);
  return explanation === undefined ? first : `${first}\n    ${escapeForTerminal(explanation)}`;
}

/** What an authorization server answered, on one line, and why not on a second one. */
export function providerLine({ provider, result, reason, explanation, remedy }: ProviderRow): string {
  const said = result === 'passed' ? 'the authorization server accepts the client' : (reason ?? 'skipped');
  const why = [explanation, remedy].filter((part) => part !== undefined).join('; ');
  const first = escapeForTerminal(`${MARKS[result]} ${provider}: ${said}`);
  return why === '' ? first : `${first}\n    ${escapeForTerminal(why)}`;
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => escapeForTerminal(cell).padEnd(WIDTHS[index] ?? 0))
    .join('  ')
    .trimEnd();
}
