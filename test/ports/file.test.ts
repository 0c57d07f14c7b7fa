import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditRecord } from '@caracal/core';
import { fileConnectionStore, fileReplayStore, fileRevocationStore, openJournal } from '@caracal/file';
import {
  auditSinkCases,
  connectionStoreCases,
  listedConnectionsCases,
  type ManualClock,
  manualClock,
  type PortSubject,
  type PortWishes,
  type ReadableAuditSink,
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

portSuite('fileConnectionStore', [...connectionStoreCases, ...listedConnectionsCases], (wishes) =>
  subject(({ clock: _, ...options }) => fileConnectionStore(options), wishes),
);

const MARK: AuditRecord = {
  id: 'mark',
  type: 'gateway.stopped',
  time: '2030-01-01T00:00:00.000Z',
  bootId: 'boot',
  gatewayId: 'gateway',
};

portSuite('openJournal', auditSinkCases, (wishes) =>
  subject(async ({ directory, clock }): Promise<ReadableAuditSink & { close(): Promise<void> }> => {
    const journal = await openJournal({ directory, clock, onWarning() {} });
    return {
      append: (record, durability) => journal.append(record, durability),
      stored: async () => {
        // A buffered record may still wait to be written; a synced one waits for all before it.
        await journal.append(MARK, 'synced');
        const records: AuditRecord[] = [];
        for await (const { record } of journal.query()) if (record.id !== MARK.id) records.push(record);
        return records;
      },
      close: () => journal.close(),
    };
  }, wishes),
);
