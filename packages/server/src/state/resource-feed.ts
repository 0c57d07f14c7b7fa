import { setTimeout as pause } from 'node:timers/promises';
import type { FeedDirectory, PostgresResourceFeed, PostgresWarning } from '@caracal/postgres';
import type { Configuration } from '../configuration/configuration.js';
import { deferred } from '../deferred.js';
import { causeName, faultLog } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import type { MetricRegistry } from '../metrics/metric-registry.js';
import { openPostgresPool } from './postgres-pool.js';

/** The rows of the resource directory, followed; they outlive every configuration that gives them their meaning. */
export interface OpenResourceFeed {
  readonly feed: PostgresResourceFeed;
  close(): Promise<void>;
}

/** Until the directory was read, at the start, ms: a database that is away is not waited for. */
const READ_TIMEOUT_MS = 3_000;
/** For the connection to end, ms. */
const END_TIMEOUT_MS = 2_000;

/**
 * Follows the resource directory where `stores.postgres.resources` says so, on one connection of this process's own. Where it cannot
 * be read at once that is told, and tried again without end.
 *
 * @throws ConfigurationError where the URL cannot be had
 */
export async function openResourceFeed(
  { gateway, stores: { postgres } }: Configuration,
  { environment, log }: { readonly environment: NodeJS.ProcessEnv; readonly log: Log },
): Promise<OpenResourceFeed | undefined> {
  if (postgres?.resources !== true) return undefined;
  const tell = faultLog(log, 'postgres_fault');
  // Its own: it is never given back, and must not be missing where evidence is shipped.
  const { pool } = await openPostgresPool(
    { ...postgres, poolSize: 1 },
    {
      environment,
      applicationName: `caracal ${gateway.id} resources`.slice(0, 63),
      onError: (cause) => tell({ requestId: undefined, reason: 'connection', cause }, 'postgres'),
    },
  );
  const { postgresResourceFeed } = await import('@caracal/postgres');
  const failed = deferred<void>();
  const feed = postgresResourceFeed({
    pool,
    onWarning: (warning) => {
      tellOfRows(log, warning);
      failed.resolve();
    },
  });
  await Promise.race([feed.ready(READ_TIMEOUT_MS), failed.promise]).catch(() => {}); // it will be told when it fails
  const close = async () => {
    await feed.close();
    await Promise.race([pool.end(), pause(END_TIMEOUT_MS, undefined, { ref: false })]);
  };
  let closing: Promise<void> | undefined;
  return {
    feed,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** What becomes of the directory and its rows, in the log. */
export function tellOfRows(log: Log, { code, message, cause }: PostgresWarning): void {
  log({ level: code === 'recovered' ? 'info' : 'warn', event: `resources_${code}`, message, cause: causeName(cause) });
}

/** How the directory stands, among the metrics. */
export function measureResources(
  registry: MetricRegistry,
  feed: PostgresResourceFeed,
  directory: () => FeedDirectory | undefined,
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    registry.gauge(`caracal_resource_directory_${name}`, help, read);
  const isUp = () => feed.status().freshAsOf !== undefined && feed.status().fault === undefined;
  gauge('up', 'Whether the resource directory can be read: 1 or 0.', () => (isUp() ? 1 : 0));
  gauge('resources', 'Resources of it that are in force.', () => directory()?.rows().accepted.length ?? 0);
  gauge('refused_rows', 'Rows of it that are not in order.', () => directory()?.rows().refused.length ?? 0);
  gauge('read_timestamp_seconds', 'When it was proved complete last; 0: not yet.', () => {
    const { freshAsOf } = feed.status();
    return freshAsOf === undefined ? 0 : (Date.now() - (performance.now() - freshAsOf)) / 1000;
  });
}
