import { openJournal } from '@caracal/file';
import { postgresAuditReader, postgresAuditShipper, postgresConnectionStore } from '@caracal/postgres';
import pg from 'pg';

/** A gateway's stores in PostgreSQL: evidence is shipped from the journal, connections are shared. */
export async function openPostgresStores(connectionString: string, stateDirectory: string) {
  const pool = new pg.Pool({
    connectionString, // the role needs the grants of a shipper and of a gateway
    connectionTimeoutMillis: 5000, // pg waits for ever by default
    keepAlive: true,
  });
  pool.on('error', (cause) => console.warn(cause.message)); // without a listener a lost connection ends the process

  const shipper = postgresAuditShipper({ pool, journal: 'gateway-1' }); // the same name at every start of this directory
  const journal = await openJournal({ directory: stateDirectory, headSink: (head) => shipper.keepHead(head) });
  shipper.start(journal);

  async function close() {
    await journal.close(); // first: then the shipper ships what is left
    await shipper.close();
    await pool.end();
  }
  // The gateway's own audit sink stays the journal: no request waits for PostgreSQL.
  return {
    journal,
    shipper,
    connections: postgresConnectionStore({ pool }),
    reader: postgresAuditReader({ pool }),
    close,
  };
}
