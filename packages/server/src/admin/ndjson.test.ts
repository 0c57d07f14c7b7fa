import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchServer } from '../listening/fetch-server.js';
import { begun, ndjsonResponse } from './ndjson.js';

const opened: { close(): unknown }[] = [];
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // the server says there what broke off
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const each of opened.splice(0)) each.close();
});

/** Values that fail behind so many. */
async function* failing(good: number): AsyncGenerator<{ n: number }> {
  for (let n = 0; n < good; n++) yield { n };
  throw new Error('the store went away');
}

async function served(values: AsyncIterable<unknown>): Promise<Response> {
  const server = fetchServer(async () => ndjsonResponse(values), undefined).listen(0, '127.0.0.1');
  opened.push(server);
  await once(server, 'listening');
  return await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

describe('ndjsonResponse', () => {
  it('breaks off where the values do, so that half an answer is not taken for a whole one', async () => {
    // Sooner or later, by whether the head has left already.
    await expect(served(failing(3)).then((answer) => answer.text())).rejects.toThrow(/terminated|fetch failed/);
  });
});

describe('begun', () => {
  it('throws what stops the first value, and passes all of them on', async () => {
    await expect(begun(failing(0))).rejects.toThrow('the store went away');
    const seen: unknown[] = [];
    await expect(
      (async () => {
        for await (const value of await begun(failing(3))) seen.push(value);
      })(),
    ).rejects.toThrow('the store went away');
    expect(seen).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(await (await served(await begun((async function* () {})()))).text()).toBe('');
  });

  it('ends the reading where nobody reads on', async () => {
    let ended = false;
    const values = (async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        ended = true;
      }
    })();
    for await (const value of await begun(values)) if (value === 1) break;
    expect(ended).toBe(true);
  });
});
