import { join } from 'node:path';
import {
  type Anchor,
  type AuditSink,
  type ConnectionStore,
  type ListedConnections,
  memoryRateLimiter,
  memoryTokenCache,
  type RateLimiter,
  type ReplayStore,
  type RevocationStore,
  type TokenCache,
} from '@caracal/core';
import {
  fileConnectionStore,
  fileReplayStore,
  fileRevocationStore,
  headLine,
  type Journal,
  type JournalOptions,
  openJournal,
} from '@caracal/file';
import type { PostgresResourceFeed } from '@caracal/postgres';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import { causeName } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import { readReference, SecretUnavailableError } from '../secrets/read-reference.js';
import { openPostgres, type PostgresState } from './postgres-state.js';
import { privateDirectory } from './private-directory.js';
import { openRedisStores, type SharedStores } from './redis-stores.js';
import { openResourceFeed } from './resource-feed.js';

/** What every generation of the configuration asks. */
export interface GatewayStores {
  readonly journal: AuditSink;
  readonly revocations: RevocationStore;
  readonly replays: ReplayStore;
  readonly rateLimiter: RateLimiter;
  readonly tokenCache: TokenCache;
  readonly connections: ConnectionStore;
  /** The resource directory; `undefined` where none is configured. */
  readonly resourceFeed: PostgresResourceFeed | undefined;
}

/** What lives as long as the process: the stores behind every generation of the configuration. */
export interface ServerState extends GatewayStores {
  readonly journal: Journal;
  readonly connections: ListedConnections;
  /** What is revoked now; `undefined` where processes share it through a server of their own. */
  readonly revoked: (() => Iterable<readonly [Anchor, number]>) | undefined;
  /** What is kept in PostgreSQL; `undefined` where none is configured. */
  readonly postgres: PostgresState | undefined;
  /** What keeps it from working now, for readiness; empty where nothing does. */
  troubles(): readonly string[];
  /** Writes what waits and gives the state directory up. Idempotent. */
  close(): Promise<void>;
}

/** What state is opened with. */
export interface StateOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Where heads go beside the journal, if the configuration says so. */
  readonly stdout: { write(text: string): unknown };
}

/**
 * Opens the stores that `stores` names. The state directory, which always has the evidence, is owned by one process at a time.
 *
 * @throws ConfigurationError, DirectoryLockedError, StorageError
 */
export async function openState(configuration: Configuration, options: StateOptions): Promise<ServerState> {
  const { stateDirectory: directory } = configuration.stores;
  const { log } = options;
  await privateDirectory(directory, log);
  const opened: { close(): Promise<void> }[] = [];
  const troubles = new Set<string>();
  const keep = <T extends { close(): Promise<void> }>(store: T): T => {
    opened.unshift(store);
    return store;
  };
  const onWarning = (message: string, cause?: unknown) =>
    log({ level: 'warn', event: 'store_warning', message, cause: causeName(cause) });
  try {
    const postgres = await openPostgres(configuration, options);
    const journal = keep(await openShipped(await journalOptions(configuration, options, troubles), postgres));
    const shared = keep(await sharedStores(configuration, options, onWarning));
    const connections = postgres?.connections ?? keep(await fileConnectionStore({ directory, onWarning }));
    const resources = await openResourceFeed(configuration, options);
    if (resources !== undefined) keep(resources);
    const notRead = () => resources !== undefined && resources.feed.status().freshAsOf === undefined;
    return {
      journal: journal.journal,
      postgres,
      revocations: shared.revocations,
      replays: shared.replays,
      rateLimiter: shared.rateLimiter,
      tokenCache: shared.tokenCache,
      connections,
      resourceFeed: resources?.feed,
      revoked: shared.revoked,
      troubles: () => [...troubles, ...(notRead() ? ['directory_unavailable'] : [])],
      close: () => closeAll(opened),
    };
  } catch (cause) {
    await closeAll(opened);
    throw cause;
  }
}

/** The journal, which is shipped to PostgreSQL where that is configured. Closed first: then what is left is shipped. */
async function openShipped(
  { headSink, ...options }: JournalOptions,
  postgres: PostgresState | undefined,
): Promise<{ readonly journal: Journal; close(): Promise<void> }> {
  const sinks = [headSink, postgres?.keepHead].filter((sink) => sink !== undefined);
  const sink: typeof headSink = async (head) => {
    await Promise.all(sinks.map((each) => each(head)));
  };
  try {
    const journal = await openJournal(sinks.length === 0 ? options : { ...options, headSink: sink });
    postgres?.start(journal);
    return { journal, close: () => journal.close().finally(() => postgres?.close()) };
  } catch (cause) {
    await postgres?.close();
    throw cause;
  }
}

/** What processes share where they have something to share it with, else what this one keeps in its directory. */
async function sharedStores(
  { stores: { redis, stateDirectory: directory } }: Configuration,
  { environment, log }: StateOptions,
  onWarning: (message: string, cause?: unknown) => void,
): Promise<SharedStores> {
  if (redis !== undefined) return openRedisStores(redis, environment, log);
  const revocations = await fileRevocationStore({ directory, onWarning });
  try {
    const replays = await fileReplayStore({ directory, onWarning });
    return {
      revocations,
      replays,
      revoked: () => revocations.entries(),
      rateLimiter: memoryRateLimiter(),
      tokenCache: memoryTokenCache(),
      close: () => closeAll([revocations, replays]),
    };
  } catch (cause) {
    await revocations.close();
    throw cause;
  }
}

async function journalOptions(
  { gateway, stores }: Configuration,
  options: StateOptions,
  troubles: Set<string>,
): Promise<JournalOptions> {
  const { retentionDays, signingKey, heads } = gateway.audit;
  return {
    directory: join(stores.stateDirectory, 'audit'),
    retentionDays,
    ...(signingKey === undefined ? {} : { signingKey: await signingKeyOf(signingKey, options.environment) }),
    ...(heads === 'stdout'
      ? { headSink: (head: Parameters<typeof headLine>[0]) => void options.stdout.write(`${headLine(head)}\n`) }
      : {}),
    onWarning: ({ code, message, cause }: { code: string; message: string; cause?: unknown }) => {
      if (code === 'write_failed') troubles.add('audit_unavailable');
      if (code === 'recovered') troubles.delete('audit_unavailable');
      const level = code.endsWith('_failed') ? 'error' : 'warn';
      options.log({ level, event: `audit_${code}`, message, cause: causeName(cause) });
    },
  };
}

async function signingKeyOf(
  reference: NonNullable<Configuration['gateway']['audit']['signingKey']>,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  try {
    return (await readReference(reference, environment)).reveal();
  } catch (cause) {
    if (!(cause instanceof SecretUnavailableError)) throw cause;
    const { fault, remedy } = cause;
    throw new ConfigurationError([{ path: 'gateway.audit.signingKey', fault, remedy }]);
  }
}

async function closeAll(stores: readonly { close(): Promise<void> }[]): Promise<void> {
  const results = await Promise.allSettled(stores.map((store) => store.close()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
