import type { Durability } from '@caracal/core';
import { type JournalDisk, openJournal } from '@caracal/file';
import { nodeDisk } from '../../packages/file/src/journal/journal-disk.js';

/**
 * A process that is killed: appends records without end and names each one on standard output once it was accepted, as a
 * gateway sends the request upstream then. `synced <bytes>` says how much of its segment is on the disk.
 */
const [directory = '', durability = 'written', boot = '0'] = process.argv.slice(3);
const IN_FLIGHT = 64;
const written = new Map<number, number>();

const disk: JournalDisk = {
  ...nodeDisk,
  write: async (fd, bytes, position) => {
    const taken = await nodeDisk.write(fd, bytes, position);
    written.set(fd, position + taken);
    return taken;
  },
  sync: async (fd) => {
    const reached = written.get(fd) ?? 0;
    await nodeDisk.sync(fd);
    tell(`synced ${reached}`);
  },
};

const journal = await openJournal({ directory, disk, onWarning() {} });
tell(`key ${journal.publicKey.replaceAll('\n', '|')}`);
await Promise.all(Array.from({ length: IN_FLIGHT }, (_, lane) => appendForEver(lane)));

async function appendForEver(lane: number): Promise<never> {
  for (let count = 0; ; count++) {
    const requestId = `${boot}-${lane}-${count}`;
    await journal.append(
      {
        id: requestId,
        type: 'request.authorized',
        time: new Date().toISOString(),
        bootId: boot,
        gatewayId: 'chaos',
        requestId,
        path: `/${'long/'.repeat(40 + (count % 60))}`,
      },
      durability as Durability,
    );
    tell(`seen ${requestId}`);
  }
}

// Writing to a pipe is synchronous on POSIX: what was accepted is out before anything else happens here.
function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
