// The governed gateway with a journal and, with `databaseUrl`, its shipper to PostgreSQL.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiKey, createGateway, Secret } from '@caracal/core';
import { openJournal } from '@caracal/file';
import { createServer } from '@caracal/node';
import { postgresAuditShipper } from '@caracal/postgres';
import pg from 'pg';
import { gatewayOptions } from '../input.mjs';
import { serve } from '../serve.mjs';

await serve(async (config) => {
  const directory = mkdtempSync(join(tmpdir(), 'caracal-audited-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const shipper = config.databaseUrl && startShipper(config);
  const journal = await openJournal({
    directory,
    onWarning() {},
    ...(shipper && { headSink: (head) => shipper.keepHead(head) }),
  });
  let appended = 0;
  const sink = {
    append: (record, durability) => {
      appended++;
      return journal.append(record, durability);
    },
  };
  shipper?.start(journal);
  process.on('message', (message) => {
    if (message === 'records') process.send({ appended, ...shipper?.status() });
  });
  return createServer(
    createGateway({ ...gatewayOptions({ apiKey, Secret }, config), audit: { sink, durability: 'written' } }),
  );
});

function startShipper({ databaseUrl, name }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  return postgresAuditShipper({ pool, journal: name, onWarning: ({ message }) => console.error(message) });
}
