import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { RedisClient } from './client.js';
import { GatheredWrites } from './gathered-writes.js';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function world() {
  const writes: string[][] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      writes.push([chunk]);
      done();
    },
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => chunk));
      done();
    },
  });
  const client = { stream } as unknown as RedisClient;
  const gathered = new GatheredWrites(client);
  const send = (text: string) => {
    gathered.gather();
    stream.write(text);
  };
  return { writes, client, gathered, send };
}

describe('GatheredWrites', () => {
  it('has what is sent in one turn written at once, in order', async () => {
    const { writes, send } = world();
    for (const text of ['a', 'b']) send(text);
    await Promise.resolve();
    send('c');
    expect(writes).toEqual([]);
    await nextTurn();
    send('d');
    await nextTurn();
    expect(writes).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('goes on with another connection, and without any', async () => {
    const { writes, client, gathered, send } = world();
    send('a');
    const broken = client.stream as Writable;
    Object.assign(client, { stream: undefined });
    broken.destroy();
    gathered.gather();
    await nextTurn();
    const other = world();
    Object.assign(client, { stream: other.client.stream });
    gathered.gather();
    (client.stream as Writable).write('b');
    await nextTurn();
    expect([writes, other.writes]).toEqual([[], [['b']]]);
  });
});
