import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditRecord } from '@caracal/core';
import { type Journal, openJournal } from './journal.js';
import { type JournalDisk, nodeDisk } from './journal-disk.js';
import type { JournalOptions } from './journal-options.js';

/** A record like those of the gateway. */
export function record(index: number, facts: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: `id-${index}`,
    type: 'request.authorized',
    time: new Date(1_700_000_000_000 + index * 1000).toISOString(),
    bootId: 'boot',
    gatewayId: 'gateway',
    requestId: `request-${index}`,
    zoneId: 'default',
    applicationId: 'billing-agent',
    resource: 'resource://billing-api',
    operation: { method: 'GET', template: '/v1/invoices/{id}', name: undefined },
    path: `/v1/invoices/${index}`,
    decision: 'allowed',
    ...facts,
  };
}

/** A directory for one test, and journals in it that are closed with it. */
export async function workspace() {
  const root = await mkdtemp(join(tmpdir(), 'caracal-journal-'));
  const directory = join(root, 'audit');
  const open = new Set<Journal>();
  return {
    directory,
    open: async (options: Partial<JournalOptions> = {}): Promise<Journal> => {
      const journal = await openJournal({ directory, onWarning() {}, ...options });
      open.add(journal);
      return journal;
    },
    end: async (): Promise<void> => {
      for (const journal of open) await journal.close().catch(() => {});
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A disk whose faults a test chooses. */
export interface FaultyDisk extends JournalDisk {
  /** Bytes that still fit; a write takes what fits and then fails. */
  room: number;
  /** Error code of the next writes and truncates; `undefined`: they work. */
  writeFault: string | undefined;
  syncFault: string | undefined;
  /** Writes wait for it. */
  gate: Promise<void> | undefined;
  /** Longest write that is taken at once. */
  chunk: number;
  writes: number;
  syncs: number;
}

/** A disk that works until it is told otherwise. */
export function faultyDisk(): FaultyDisk {
  const fault = (code: string) => Object.assign(new Error(code), { code });
  const disk: FaultyDisk = {
    room: Number.POSITIVE_INFINITY,
    writeFault: undefined,
    syncFault: undefined,
    gate: undefined,
    chunk: Number.POSITIVE_INFINITY,
    writes: 0,
    syncs: 0,
    async write(fd, bytes, position) {
      disk.writes++;
      await disk.gate;
      if (disk.writeFault !== undefined) throw fault(disk.writeFault);
      if (disk.room <= 0) throw fault('ENOSPC');
      const taken = await nodeDisk.write(fd, bytes.subarray(0, Math.min(disk.room, disk.chunk)), position);
      disk.room -= taken;
      return taken;
    },
    async sync(fd) {
      disk.syncs++;
      if (disk.syncFault !== undefined) throw fault(disk.syncFault);
      await nodeDisk.sync(fd);
    },
    async truncate(fd, length) {
      if (disk.writeFault !== undefined) throw fault(disk.writeFault);
      await nodeDisk.truncate(fd, length);
    },
  };
  return disk;
}
