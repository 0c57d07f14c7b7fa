import assert from 'node:assert/strict';
import type { HttpCase } from './case.js';
import { openCase } from './case-tools.js';
import { within } from './deadline.js';
import type { HttpSuite } from './suite.js';

/** How long one case may take, ms. */
export const CASE_DEADLINE_MS = 8_000;

/**
 * Runs one case. A case that is listed among the gaps has to fail: one that passes is listed wrongly, and that is an
 * error, so that no list of gaps outlives its reasons.
 */
export async function runHttpCase(httpCase: HttpCase, suite: HttpSuite): Promise<void> {
  const gap = suite.gaps[httpCase.name];
  if (gap === undefined) return attempt(httpCase, suite);
  const failed = await attempt(httpCase, suite).then(
    () => false,
    () => true,
  );
  assert.ok(failed, `"${httpCase.name}" passes: remove it from the gaps (${gap})`);
}

async function attempt(httpCase: HttpCase, suite: HttpSuite): Promise<void> {
  const opened = await openCase(suite, httpCase.variant ?? 'main');
  try {
    await within(httpCase.run(opened.tools), CASE_DEADLINE_MS, `case "${httpCase.name}"`);
    opened.assertNothingLeaked();
  } finally {
    opened.close();
  }
}
