import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Workspace packages are tested from source: this condition of their export maps points at src/index.ts, so that a
 * test needs no build and cannot pass on a stale one.
 */
const SOURCE = ['@caracal/source'];

// Vitest loads modules as a server does, so `ssr` decides; `externalConditions` serves what it leaves to Node itself.
const resolve = { conditions: [...SOURCE, 'module', 'node', 'development|production'] };
/** The same inputs for tests of properties in every run. */
const PROPERTIES = 'test/property-seed.ts';
const ssr = { resolve: { ...resolve, externalConditions: SOURCE } };

export default defineConfig({
  test: {
    // Most suites wait for servers and timers: a worker for each core leaves cores idle.
    maxWorkers: availableParallelism() + 1,
    projects: [
      // Properties are tried hundreds of times: on a busy machine that takes more than the default of 5 s.
      {
        resolve,
        ssr,
        test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'], setupFiles: [PROPERTIES], testTimeout: 30_000 },
      },
      {
        resolve,
        ssr,
        test: {
          // The same tests of core once more where the globals are those of an edge runtime.
          name: 'core-edge',
          include: ['packages/core/src/**/*.test.ts'],
          environment: 'edge-runtime',
          testTimeout: 30_000,
          setupFiles: [PROPERTIES, 'test/without-node-globals.ts'],
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'suites',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/servers/global-setup.ts'],
          setupFiles: [PROPERTIES],
          exclude: ['**/node_modules/**', 'test/runtimes/**'],
          // Sockets, child processes, packing: slower than a unit test, yet none may hang the run.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
