import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openPostgresStores } from '../../docs/examples/postgres.js';
import { fakeWorld } from '../gateway/fake-world.js';
import { testDatabase } from '../servers/postgres.js';

const read = (path: string) => readFile(fileURLToPath(new URL(`../../docs/${path}`, import.meta.url)), 'utf8');

describe('docs/stores/postgres.md', () => {
  it('shows the example as it is, and the example works', async () => {
    const [, shown] = /```ts\n([\s\S]*?)```/.exec(await read('stores/postgres.md'))!;
    expect(shown).toBe(await read('examples/postgres.ts'));
    const database = await testDatabase();
    const directory = await mkdtemp(join(tmpdir(), 'caracal-example-'));
    const stores = await openPostgresStores(database.url, directory);
    const world = await fakeWorld({}, { audit: { sink: stores.journal, durability: 'written' } });
    await world.send(world.head(await world.mint()));
    await world.gateway.close();
    await stores.close();
    const { rows } = await database.pool.query('SELECT outcome FROM caracal.audit_requests');
    expect(rows).toEqual([{ outcome: 'executed' }]);
    await database.drop();
    await rm(directory, { recursive: true });
  });

  it('shows statements that run', async () => {
    const shown = [...(await read('stores/postgres.md')).matchAll(/```sql\n([\s\S]*?)```/g)];
    const database = await testDatabase();
    for (const [, sql] of shown) await database.pool.query(sql!);
    const { rows } = await database.pool.query('SELECT identifier FROM caracal.resources');
    expect([shown.length, rows]).toEqual([3, [{ identifier: 'resource://orders-api' }]]);
    await database.drop();
  });
});
