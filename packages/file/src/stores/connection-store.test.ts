import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, ConnectionKey } from '@caracal/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileConnectionStore, openConnections } from './connection-store.js';
import { FaultyDisk } from './faulty-disk.fixture.js';

const key = (subject: string): ConnectionKey => ({
  zoneId: 'default',
  providerId: 'provider://api',
  owner: { issuer: 'https://issuer.example', subject },
});

describe('fileConnectionStore', () => {
  let directory: string;
  let log: string;
  let disk: FaultyDisk;
  let warnings: string[];
  let open: FileConnectionStore[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'caracal-connections-'));
    log = join(directory, 'connections', 'connections.log');
    disk = new FaultyDisk();
    warnings = [];
    open = [];
  });
  afterEach(async () => {
    disk.failingSync = false;
    for (const store of open) await store.close();
    await rm(directory, { recursive: true });
  });

  async function start(): Promise<FileConnectionStore> {
    const store = await openConnections({ directory, onWarning: (message) => void warnings.push(message) }, disk);
    open.push(store);
    return store;
  }

  async function put(
    store: FileConnectionStore,
    subject: string,
    expected?: string,
    sealed = 'sealed',
  ): Promise<Connection> {
    const change = await store.put(key(subject), expected, { id: `cn_${subject}`, sealed });
    if (change === 'conflict') throw new Error('conflict');
    return change.connection;
  }

  async function restart(store: FileConnectionStore): Promise<FileConnectionStore> {
    await store.close();
    return start();
  }

  it('remembers connections, changes and removals across a restart, versions included', async () => {
    let store = await start();
    const first = await put(store, 'alice');
    const second = await put(store, 'alice', first.version, 'rotated');
    await store.remove(key('bob'), (await put(store, 'bob')).version);
    await store.put({ ...key('x'), owner: 'shared' }, undefined, { id: 'cn_shared', sealed: 's' });
    store = await restart(store);
    expect(await store.get(key('alice'))).toEqual(second);
    expect(await store.get(key('bob'))).toBeUndefined();
    const keys: ConnectionKey[] = [];
    for await (const each of store.keys()) keys.push(each);
    expect(keys).toEqual([key('alice'), { ...key('x'), owner: 'shared' }]);
  });

  it('shows a change once it is on disk, and changes nothing where the disk fails', async () => {
    const store = await start();
    const { version } = await put(store, 'alice');
    disk.failingSync = true;
    await expect(put(store, 'alice', version, 'lost')).rejects.toMatchObject({ reason: 'not_durable' });
    await expect(store.remove(key('alice'), version)).rejects.toMatchObject({ reason: 'not_durable' });
    expect((await store.get(key('alice')))?.version).toBe(version);
    disk.failingSync = false;
    await put(store, 'alice', version, 'kept');
    const again = await restart(store);
    expect((await again.get(key('alice')))?.sealed).toBe('kept');
  });

  it('stays small however much is changed, and readable by its owner alone', async () => {
    let store = await start();
    const subjects = Array.from({ length: 300 }, (_, index) => `subject ${index}`);
    const made = await Promise.all(subjects.map((subject) => put(store, subject)));
    await Promise.all(subjects.map((subject, index) => store.remove(key(subject), made[index]!.version)));
    await put(store, 'alice');
    await store.close();
    expect((await readFile(log, 'utf8')).split('\n').length).toBeLessThan(400);
    expect((await stat(log)).mode & 0o777).toBe(0o600);
    store = await start();
    expect((await store.get(key('alice')))?.sealed).toBe('sealed');
  });

  it('removes a line that was cut off, and refuses a log that was changed', async () => {
    const store = await start();
    await put(store, 'alice');
    await store.close();
    const whole = await readFile(log);
    await writeFile(log, Buffer.concat([whole, Buffer.from('1234')]));
    const again = await start();
    expect(warnings).toHaveLength(1);
    expect((await again.get(key('alice')))?.sealed).toBe('sealed');
    await again.close();
    await writeFile(log, whole.toString('latin1').replace('alice', 'mally'), 'latin1');
    await expect(start()).rejects.toThrow(/connections\.log: line 2 .* Restore the file from a copy/);
  });

  it('answers nothing once it is closed', async () => {
    const store = await start();
    await store.close();
    expect(() => store.get(key('alice'))).toThrow('closed');
    await expect(put(store, 'alice')).rejects.toMatchObject({ reason: 'closed' });
  });
});
