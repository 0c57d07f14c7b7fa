import { link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bind, ListenError } from './bind.js';

let directory: string;
let servers: Server[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-bind-'));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) server.close();
  await rm(directory, { recursive: true });
});

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

describe('bind', () => {
  it('answers the port that the system chose', async () => {
    const port = await bind('admin', server(), { kind: 'tcp', host: '127.0.0.1', port: 0 });
    expect(port).toBeGreaterThan(0);
    const taken = bind('admin', server(), { kind: 'tcp', host: '127.0.0.1', port: port! });
    await expect(taken).rejects.toThrow(
      `admin cannot listen on http://127.0.0.1:${port} (EADDRINUSE); end whoever listens`,
    );
    await expect(taken).rejects.toBeInstanceOf(ListenError);
  });

  it('replaces the socket of a process that is gone, and no other', async () => {
    const [living, dead] = [join(directory, 'living'), join(directory, 'dead')];
    const first = server();
    await bind('admin', first, { kind: 'unix', path: living });
    await expect(bind('admin', server(), { kind: 'unix', path: living })).rejects.toThrow('EADDRINUSE');
    await link(living, dead);
    await new Promise((resolve) => first.close(resolve)); // removes the first name; the second stays, and nobody answers
    expect(await bind('admin', server(), { kind: 'unix', path: dead })).toBeUndefined();
  });

  it('leaves a file alone that is no socket', async () => {
    const path = join(directory, 'notes');
    await writeFile(path, 'mine');
    await expect(bind('admin', server(), { kind: 'unix', path })).rejects.toThrow('EADDRINUSE');
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
});
