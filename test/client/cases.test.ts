import * as caracal from '@caracal/client';
import { describe, expect, it } from 'vitest';
import { startCaseWorld } from './case-world.mjs';
import { runCases } from './cases.mjs';

/** Seconds where nothing else runs; a busy machine may take its time. */
const SLOWEST_MS = 180_000;

describe('the client', () => {
  it(
    'passes on Node what it passes on every runtime',
    async () => {
      const world = await startCaseWorld();
      try {
        const results = await runCases(caracal, world.url);
        expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
        expect(results.length).toBeGreaterThan(10);
      } finally {
        await world.close();
      }
    },
    SLOWEST_MS,
  );
});
