import { type ResourceDirectory, refuseUnknownOptions } from '@caracal/core';
import type { DefineResource, RefusedRow } from './accept-rows.js';
import {
  POSTGRES_DIRECTORY_DEFAULTS,
  type PostgresFeedStatus,
  type PostgresResourceFeedOptions,
  postgresResourceFeed,
} from './resource-feed.js';

/** Options of {@link postgresResourceDirectory}. */
export interface PostgresResourceDirectoryOptions extends PostgresResourceFeedOptions {
  /** Makes a definition of a row's document. @throws TypeError for one that is not in order. */
  readonly define: DefineResource;
}

/** How a directory stands. */
export interface PostgresDirectoryStatus extends Omit<PostgresFeedStatus, 'rows'> {
  readonly resources: number;
  readonly refused: readonly RefusedRow[];
}

/** A directory that follows the table `caracal.resources`. */
export interface PostgresResourceDirectory extends ResourceDirectory {
  /** Resolves when it was read for the first time; rejects with PostgresError `timeout`. Before, look-ups throw. */
  ready(timeoutMs?: number): Promise<void>;
  status(): PostgresDirectoryStatus;
  /** Ends listening; what was read is answered from. Idempotent. */
  close(): Promise<void>;
}

/**
 * The resources of the table `caracal.resources`, held here whole: answers are synchronous and wait for nothing. A change
 * is told by a notification and read at once; after a lost connection everything is read again. A row that is not in order
 * is refused with a warning, and its last good one stays.
 *
 * @throws TypeError for options that are not in order.
 */
export function postgresResourceDirectory(options: PostgresResourceDirectoryOptions): PostgresResourceDirectory {
  const known = ['pool', 'define', ...Object.keys(POSTGRES_DIRECTORY_DEFAULTS), 'maxStalenessMs', 'onWarning', 'clock'];
  refuseUnknownOptions('postgresResourceDirectory', options, known);
  const { define, ...feedOptions } = options;
  if (typeof define !== 'function') throw new TypeError('postgresResourceDirectory: define is a function');
  const feed = postgresResourceFeed(feedOptions);
  const directory = feed.directory({ define });
  return {
    byIdentifier: (zoneId, identifier) => directory.byIdentifier(zoneId, identifier),
    byMount: (zoneId, host, path) => directory.byMount(zoneId, host, path),
    namesMethod: (method) => directory.namesMethod(method),
    extraMethods: () => directory.extraMethods(),
    ready: (timeoutMs) => feed.ready(timeoutMs),
    status: () => {
      const { freshAsOf, fault } = feed.status();
      const { accepted, refused } = directory.rows();
      return { resources: accepted.length, refused, freshAsOf, fault };
    },
    close: () => feed.close(),
  };
}
