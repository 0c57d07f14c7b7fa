import { noCredential, type ResourceDefinition } from '@caracal/core';
import { postgresConnectionStore, postgresResourceDirectory } from '@caracal/postgres';
import {
  connectionStoreCases,
  type FillableResourceDirectory,
  listedConnectionsCases,
  manualClock,
  type PortSubject,
  resourceDirectoryCases,
} from '@caracal/testkit';
import { afterAll, beforeAll } from 'vitest';
import { type TestDatabase, testDatabase } from '../servers/postgres.js';
import { portSuite } from './port-suite.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

// A case's subject is empty, and cases run one after the other.
async function emptied<Port>(store: Port, close = async () => {}): Promise<PortSubject<Port>> {
  await database.pool.query('TRUNCATE caracal.connections');
  return { store, now: manualClock().now, close };
}

portSuite(
  'postgresConnectionStore',
  // Rows are bounded by the database's disk, not by a number.
  [...connectionStoreCases, ...listedConnectionsCases].filter(({ needs }) => !needs.includes('capacity')),
  async () => emptied(postgresConnectionStore({ pool: database.pool, timeoutMs: 20_000 })),
);

portSuite('postgresResourceDirectory', resourceDirectoryCases, async () => {
  const directory = postgresResourceDirectory({
    pool: database.pool,
    define: (document) => ({ ...(document as Omit<ResourceDefinition, 'provider'>), provider: noCredential() }),
  });
  const fillable: FillableResourceDirectory = {
    byIdentifier: (zoneId, identifier) => directory.byIdentifier(zoneId, identifier),
    byMount: (zoneId, host, path) => directory.byMount(zoneId, host, path),
    namesMethod: (method) => directory.namesMethod(method),
    extraMethods: () => directory.extraMethods(),
    fill: async (definitions) => {
      const rows = definitions.map(({ identifier, zone = 'default', provider: _provider, ...document }) => ({
        zone,
        identifier,
        document,
      }));
      await database.pool.query(
        `WITH gone AS (DELETE FROM caracal.resources WHERE (zone, identifier) NOT IN (
           SELECT zone, identifier FROM jsonb_to_recordset($1) AS kept (zone text, identifier text)))
         INSERT INTO caracal.resources (zone, identifier, document)
         SELECT zone, identifier, document FROM jsonb_to_recordset($1) AS rows (zone text, identifier text, document jsonb)
         ON CONFLICT (zone, identifier) DO UPDATE SET document = excluded.document`,
        [JSON.stringify(rows)],
      );
      const written = performance.now();
      while ((directory.status().freshAsOf ?? 0) <= written) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
  return emptied(fillable, () => directory.close());
});
