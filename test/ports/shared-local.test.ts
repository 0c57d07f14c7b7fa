import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  memoryConnectionStore,
  memoryRateLimiter,
  memoryReplayStore,
  memoryRevocationStore,
  memoryTokenCache,
} from '@caracal/core';
import { fileConnectionStore, fileReplayStore, fileRevocationStore } from '@caracal/file';
import {
  type MakeShared,
  type SharedCase,
  sharedConnectionStoreCases,
  sharedRateLimiterCases,
  sharedReplayStoreCases,
  sharedRevocationStoreCases,
  sharedTokenCacheCases,
} from '@caracal/testkit';
import { sharedSuite } from './port-suite.js';

// Stores of one process: every part of it has the same instance, and nothing can take their data away.
function local<Port>(store: Port, close: () => Promise<void> = async () => undefined): MakeShared<Port> {
  return async () => ({ open: async () => store, now: Date.now, deadlineMs: 1_000, close });
}

function inOneProcess<Port>(cases: readonly SharedCase<Port>[]): readonly SharedCase<Port>[] {
  return cases.filter(({ needs }) => !needs.includes('outage'));
}

function onDisk<Port extends { close(): Promise<void> }>(
  open: (options: { directory: string }) => Promise<Port>,
): MakeShared<Port> {
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), 'caracal-shared-'));
    const store = await open({ directory });
    return local(store, async () => {
      await store.close();
      await rm(directory, { recursive: true });
    })();
  };
}

sharedSuite('memoryRevocationStore', inOneProcess(sharedRevocationStoreCases), () => local(memoryRevocationStore())());
sharedSuite('memoryReplayStore', inOneProcess(sharedReplayStoreCases), () => local(memoryReplayStore())());
sharedSuite('memoryTokenCache', inOneProcess(sharedTokenCacheCases), () => local(memoryTokenCache())());
sharedSuite('memoryRateLimiter', inOneProcess(sharedRateLimiterCases), () => local(memoryRateLimiter())());
sharedSuite('fileRevocationStore', inOneProcess(sharedRevocationStoreCases), onDisk(fileRevocationStore));
sharedSuite('fileReplayStore', inOneProcess(sharedReplayStoreCases), onDisk(fileReplayStore));
sharedSuite('memoryConnectionStore', inOneProcess(sharedConnectionStoreCases), () => local(memoryConnectionStore())());
sharedSuite('fileConnectionStore', inOneProcess(sharedConnectionStoreCases), onDisk(fileConnectionStore));
