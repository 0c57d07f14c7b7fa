import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stopSharedPostgres } from './shared-postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where servers that one run shares are kept: each is started by the first test that asks for it. */
    readonly serversHome: string;
  }
}

/** Gives a run a place for the servers its test files share, and stops them at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'caracal-servers-'));
  project.provide('serversHome', home);
  return async () => {
    await stopSharedPostgres(home);
    await rm(home, { recursive: true, force: true });
  };
}
