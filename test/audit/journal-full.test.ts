import { ftruncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditRecord } from '@caracal/core';
import { openJournal } from '@caracal/file';
import { expect, it, vi } from 'vitest';
import { fakeWorld } from '../gateway/fake-world.js';

const PENDING_BYTES = 64 * 1024;
/** Far more than `PENDING_BYTES` has room for. */
const MANY = 1000;

it('executes nothing, in buffered too, once the journal takes no more evidence, and goes on when it does', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'caracal-full-'));
  let full = false;
  const journal = await openJournal({
    directory: join(directory, 'audit'),
    maxPendingBytes: PENDING_BYTES,
    onWarning() {},
    disk: {
      write: (fd, bytes, position) => {
        if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        return writeSync(fd, bytes, 0, bytes.length, position);
      },
      sync() {},
      truncate: (fd, length) => ftruncateSync(fd, length),
    },
  });
  try {
    const world = await fakeWorld({}, { audit: { sink: journal, durability: 'buffered' } });
    const mandate = await world.mint();
    let requests = 0;
    const send = () => {
      requests += 1;
      return world.send(world.head(mandate));
    };
    expect(await send()).toMatchObject({ status: 200 });

    full = true;
    let executed = 1;
    let answer = await send();
    for (let sent = 0; answer.status === 200 && sent < MANY; sent++) {
      executed += 1;
      answer = await send();
    }
    expect(answer).toMatchObject({ status: 503, error: 'audit_unavailable' });
    expect(world.transport.plans).toHaveLength(executed);
    // Not for a moment: whenever the journal is asked, it says the same.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await send()).toMatchObject({ status: 503 });
    expect(world.transport.plans).toHaveLength(executed);

    full = false;
    await vi.waitFor(async () => expect(await send()).toMatchObject({ status: 200 }), 5_000);
    await world.gateway.close();
    await journal.close();
    const records: AuditRecord[] = [];
    for await (const { record } of journal.query({})) records.push(record);
    const ended = records.filter(({ outcome }) => outcome === 'executed').length;
    const told = records.filter(({ requestId }) => requestId !== undefined).length;
    let omitted = 0;
    for (const { type, count } of records) if (type === 'records.omitted') omitted += count!;
    // One call ran when the journal had no room for its end: it is counted, with what was refused since. One ran after.
    expect(ended).toBe(executed);
    expect(told + omitted).toBe(requests);
  } finally {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  }
});
