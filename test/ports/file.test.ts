import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileReplayStore, fileRevocationStore } from '@caracal/file';
import {
  type ManualClock,
  manualClock,
  type PortSubject,
  type PortWishes,
  replayStoreCases,
  revocationStoreCases,
} from '@caracal/testkit';
import { portSuite } from './port-suite.js';

async function subject<Store extends { close(): Promise<void> }>(
  open: (options: { directory: string; clock: ManualClock; maxEntries?: number }) => Promise<Store>,
  { capacity }: PortWishes = {},
): Promise<PortSubject<Store>> {
  const clock = manualClock();
  const directory = await mkdtemp(join(tmpdir(), 'caracal-port-'));
  const store = await open({ directory, clock, ...(capacity === undefined ? {} : { maxEntries: capacity }) });
  return {
    store,
    now: clock.now,
    advance: async (ms) => clock.advance(ms),
    close: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

portSuite('fileRevocationStore', revocationStoreCases, (wishes) => subject(fileRevocationStore, wishes));

portSuite('fileReplayStore', replayStoreCases, (wishes) => subject(fileReplayStore, wishes));

portSuite('fileReplayStore with room for skewed clocks', replayStoreCases, (wishes) =>
  subject((options) => fileReplayStore({ ...options, clockSkewSeconds: 60 }), wishes),
);
