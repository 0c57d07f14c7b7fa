import { setTimeout as pause } from 'node:timers/promises';
import type { ListedConnections } from '@caracal/core';
import type { Journal, SignedHead } from '@caracal/file';
import type { PostgresAuditReader, PostgresPool, PostgresWarning } from '@caracal/postgres';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import { causeName, faultLog } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import type { MetricRegistry } from '../metrics/metric-registry.js';
import { journalName } from './journal-name.js';
import { openPostgresPool } from './postgres-pool.js';

/** What a server keeps in PostgreSQL. No request waits for it, but where a connected account is used. */
export interface PostgresState {
  /** `undefined` where connections are not kept there. */
  readonly connections: ListedConnections | undefined;
  /** Takes a signed head; `undefined` where evidence is not shipped. */
  readonly keepHead: ((head: SignedHead) => void) | undefined;
  /** Every gateway's evidence, as it was shipped; `undefined` where this one's is not. */
  readonly evidence: PostgresAuditReader | undefined;
  /** Ships this journal from now on. */
  start(journal: Journal): void;
  /** How the shipping goes, among the metrics. */
  measure(registry: MetricRegistry): void;
  /** Ships what is left, once the journal is closed, and ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** Until the version of the schema is known, at the start, ms: a database that is away is not waited for for long. */
const VERSION_TIMEOUT_MS = 3_000;
/** For what is left, when a server stops, ms: the rest is shipped at its next start. */
const SHIP_REST_MS = 5_000;
/** For connections to end, ms. */
const END_TIMEOUT_MS = 2_000;
/** Of those who ask for evidence: no request and no shipper is to wait behind them. */
const READER_POOL_SIZE = 2;
/** For a page of evidence, ms. */
const READ_TIMEOUT_MS = 10_000;

/**
 * What `stores.postgres` names; `undefined` where it names nothing. A database that is away stops no start: evidence waits
 * in the journal.
 *
 * @throws ConfigurationError where its URL cannot be had, or the database has no schema, or an older one
 */
export async function openPostgres(
  { gateway, stores }: Configuration,
  { environment, log }: { readonly environment: NodeJS.ProcessEnv; readonly log: Log },
): Promise<PostgresState | undefined> {
  const { postgres, stateDirectory } = stores;
  if (postgres === undefined) return undefined;
  const tell = faultLog(log, 'postgres_fault');
  const open = (what: string, more: { readonly poolSize: number; readonly asReader?: boolean }) =>
    openPostgresPool(
      { ...postgres, poolSize: more.poolSize },
      {
        environment,
        applicationName: `caracal ${gateway.id}${what}`.slice(0, 63),
        asReader: more.asReader === true,
        onError: (cause) => tell({ requestId: undefined, reason: 'connection', cause }, 'postgres'),
      },
    );
  const { pool, plainText } = await open('', postgres);
  const reading = postgres.audit ? await open(' evidence', { poolSize: READER_POOL_SIZE, asReader: true }) : undefined;
  // A server that is stopped dead answers no farewell.
  const end = async () => {
    const ended = Promise.all([pool.end(), reading?.pool.end()]);
    await Promise.race([ended, pause(END_TIMEOUT_MS, undefined, { ref: false })]);
  };
  if (plainText || reading?.plainText === true) {
    const message = 'PostgreSQL is beyond loopback and reached without TLS: give stores.postgres.tls';
    log({ level: 'warn', event: 'plain_text', message });
  }
  try {
    await checkSchema(pool, log);
    const { postgresAuditReader, postgresAuditShipper, postgresConnectionStore } = await import('@caracal/postgres');
    const onWarning = ({ code, message, cause }: PostgresWarning) => {
      const level = code === 'recovered' ? 'info' : 'warn';
      log({ level, event: `audit_shipping_${code}`, message, cause: causeName(cause) });
    };
    const journal = postgres.audit ? await journalName(stateDirectory, gateway.id) : undefined;
    const shipper = journal === undefined ? undefined : postgresAuditShipper({ pool, journal, onWarning });
    const close = async () => {
      await shipper?.close({ timeoutMs: SHIP_REST_MS });
      await end();
    };
    let closing: Promise<void> | undefined;
    return {
      connections: postgres.connections ? postgresConnectionStore({ pool }) : undefined,
      keepHead: shipper === undefined ? undefined : (head) => shipper.keepHead(head),
      evidence:
        reading === undefined ? undefined : postgresAuditReader({ pool: reading.pool, timeoutMs: READ_TIMEOUT_MS }),
      start: (source) => shipper?.start(source),
      measure: (registry) => {
        if (shipper !== undefined) measureShipping(registry, () => shipper.status());
      },
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (cause) {
    await end();
    throw cause;
  }
}

async function checkSchema(pool: PostgresPool, log: Log): Promise<void> {
  const { PostgresError, SCHEMA_VERSION, schemaVersion } = await import('@caracal/postgres');
  const version = await schemaVersion(pool, VERSION_TIMEOUT_MS).catch((cause: unknown) => {
    if (!(cause instanceof PostgresError)) throw cause;
    const message = `starts without PostgreSQL, and evidence waits in the journal: ${cause.message}`;
    log({ level: 'warn', event: 'postgres_unavailable', message, cause: causeName(cause) });
    return undefined;
  });
  if (version === undefined) return;
  if (version < SCHEMA_VERSION) {
    const fault = version === 0 ? 'names a database without tables of Caracal' : 'names a database of an older release';
    throw new ConfigurationError([{ path: 'stores.postgres', fault, remedy: 'run caracal migrate' }]);
  }
  if (version > SCHEMA_VERSION) {
    const message = 'the database was migrated by a newer release of Caracal; update this one';
    log({ level: 'warn', event: 'postgres_schema_newer', message });
  }
}

function measureShipping(
  registry: MetricRegistry,
  status: () => {
    readonly state: string;
    readonly shipped: number;
    readonly setAside: number;
    readonly waiting: number;
    readonly shippedThrough: string | undefined;
  },
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    registry.gauge(`caracal_audit_shipping_${name}`, help, read);
  gauge('up', 'Whether PostgreSQL takes evidence: 1 or 0.', () => (status().state === 'shipping' ? 1 : 0));
  gauge('entries', 'Entries stored in PostgreSQL since the start.', () => status().shipped);
  gauge('set_aside_entries', 'Of them, those set aside since the start.', () => status().setAside);
  gauge('waiting_entries', 'Entries read and not yet stored; the journal may hold more.', () => status().waiting);
  gauge('through_timestamp_seconds', 'When the last entry that was stored was made; 0: none was yet.', () => {
    const { shippedThrough } = status();
    return shippedThrough === undefined ? 0 : Date.parse(shippedThrough) / 1000;
  });
}
