import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CaracalError,
  type Connection,
  type ConnectionChange,
  type ConnectionContent,
  type ConnectionKey,
  compositeKey,
  type ListedConnections,
  refuseUnknownOptions,
  wholeNumber,
} from '@caracal/core';
import { type DirectoryLock, lockDirectory } from '../directory-lock.js';
import { openingDirectory } from '../storage-error.js';
import { AppendLog, newNameOf } from './append-log.js';
import { type ConnectionEntry, connectionLine, parseConnectionLine } from './connection-line.js';
import { type Disk, realDisk } from './disk.js';
import { DamagedLine } from './log-format.js';
import { type OnWarning, tellConsole, textOption } from './store-options.js';

/** Options of {@link fileConnectionStore}. */
export interface FileConnectionStoreOptions {
  /** The state directory; the store keeps its log in `connections/` there. Created (0700) where there is none. */
  readonly directory: string;
  /** Connections kept; more are refused. Default 100,000, all of them in memory too. */
  readonly maxEntries?: number;
  /** Told what an operator should know. Default: the console. */
  readonly onWarning?: OnWarning;
}

/** A store that owns its directory until it is closed. */
export interface FileConnectionStore extends ListedConnections {
  /** Writes what waits and gives the directory up. Idempotent. */
  close(): Promise<void>;
}

/** Default of `maxEntries`. */
export const FILE_CONNECTIONS_MAX_ENTRIES = 100_000;

/** Lines of the log beyond twice what is connected, before it is written anew. */
const SLACK_LINES = 256;

/**
 * Connections that outlive the process, without a service: an append-only log on the local disk, whose one owner this process is. What is
 * kept is sealed by those who use the store; whose connections there are is not.
 *
 * A change resolves when it is on disk (fsync) and is seen from then on: a refresh token that was rotated is not lost with the power. Where
 * the disk fails it throws `CaracalError('credential_unavailable')`, reason `not_durable`, and nothing has changed; full, with reason
 * `connection_store_full`. A connection that was removed stands in the log, sealed, until that is written anew.
 *
 * @throws TypeError for options that are not in order; DirectoryLockedError for a directory that another process owns;
 * StorageError for one that cannot be opened; Error for a damaged log, with file, line and remedy.
 */
export function fileConnectionStore(options: FileConnectionStoreOptions): Promise<FileConnectionStore> {
  return openConnections(options, realDisk);
}

/** {@link fileConnectionStore} on a disk of its own. */
export async function openConnections(options: FileConnectionStoreOptions, disk: Disk): Promise<FileConnectionStore> {
  refuseUnknownOptions('fileConnectionStore', options, ['directory', 'maxEntries', 'onWarning']);
  const { maxEntries = FILE_CONNECTIONS_MAX_ENTRIES, onWarning = tellConsole } = options;
  wholeNumber('fileConnectionStore', 'maxEntries', maxEntries);
  const directory = join(textOption('fileConnectionStore', 'directory', options.directory), 'connections');
  return await openingDirectory(directory, async () => {
    const lock = await lockDirectory(directory);
    try {
      const store = new LoggedConnections(maxEntries, lock);
      await store.open(join(directory, 'connections.log'), disk, onWarning);
      return store;
    } catch (cause) {
      await lock.release();
      throw cause;
    }
  });
}

type Kept = ConnectionEntry & { readonly connection: Connection };

class LoggedConnections implements FileConnectionStore {
  readonly #maxEntries: number;
  readonly #lock: DirectoryLock;
  readonly #kept = new Map<string, Kept>();
  /** The last change of each connection that is on its way to the disk: changes of one come one after another. */
  readonly #changing = new Map<string, Promise<unknown>>();
  /** New connections on their way to the disk: they have a place already. */
  #arriving = 0;
  #log!: AppendLog;
  #closing: Promise<void> | undefined;

  constructor(maxEntries: number, lock: DirectoryLock) {
    this.#maxEntries = maxEntries;
    this.#lock = lock;
  }

  async open(path: string, disk: Disk, onWarning: OnWarning): Promise<void> {
    await unlink(newNameOf(path)).catch(() => undefined); // there was no rewriting under way
    const options = { path, kind: 'connections', disk };
    const rewriting = {
      due: (lines: number) => lines > 2 * this.#kept.size + SLACK_LINES,
      payloads: () => this.#snapshot(),
      failed: (cause: unknown) => onWarning(`${path} could not be shortened and keeps growing`, cause),
    };
    const opened = await AppendLog.open(options, (line) => this.#load(parseConnectionLine(line)), rewriting).catch(
      (cause: unknown) => {
        throw cause instanceof DamagedLine ? damaged(path, cause) : cause;
      },
    );
    this.#log = opened?.log ?? (await AppendLog.create(options, [], rewriting));
    if (opened !== undefined && opened.tornBytes > 0) {
      onWarning(`${path} ended in a line of ${opened.tornBytes} bytes that was cut off; no one was told it was saved`);
    }
  }

  get(key: ConnectionKey): Connection | undefined {
    this.#refuseClosed();
    return this.#kept.get(textOf(key))?.connection;
  }

  put(key: ConnectionKey, expected: string | undefined, { id, sealed }: ConnectionContent): Promise<ConnectionChange> {
    return this.#inTurn(key, async (text) => {
      const before = this.#kept.get(text)?.connection;
      if (before?.version !== expected) return 'conflict';
      const isNew = before === undefined;
      if (isNew && this.#kept.size + this.#arriving >= this.#maxEntries) {
        throw new CaracalError('credential_unavailable', 'connection_store_full');
      }
      const connection = Object.freeze({ id, sealed, version: randomUUID() });
      const kept = { key: copyOf(key), connection };
      if (isNew) this.#arriving++;
      try {
        await this.#save(kept);
        this.#kept.set(text, kept);
      } finally {
        if (isNew) this.#arriving--;
      }
      return { connection };
    });
  }

  remove(key: ConnectionKey, expected: string): Promise<boolean> {
    return this.#inTurn(key, async (text) => {
      if (this.#kept.get(text)?.connection.version !== expected) return false;
      await this.#save({ key, connection: undefined });
      return this.#kept.delete(text);
    });
  }

  async *keys(): AsyncGenerator<ConnectionKey> {
    for (const { key } of [...this.#kept.values()]) yield key;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await Promise.allSettled(this.#changing.values());
      await this.#log.close();
      await this.#lock.release();
    })();
    return this.#closing;
  }

  /** Compares and sets when every change of this connection before it is on disk or has failed: that is the atomicity. */
  #inTurn<T>(key: ConnectionKey, change: (text: string) => Promise<T>): Promise<T> {
    const text = textOf(key);
    const before = this.#changing.get(text) ?? Promise.resolve();
    const turn = before.then(
      () => this.#change(text, change),
      () => this.#change(text, change),
    );
    this.#changing.set(text, turn);
    const done = (): void => {
      if (this.#changing.get(text) === turn) this.#changing.delete(text);
    };
    turn.then(done, done);
    return turn;
  }

  #change<T>(text: string, change: (text: string) => Promise<T>): Promise<T> {
    this.#refuseClosed();
    return change(text);
  }

  #refuseClosed(): void {
    // Another process may own the directory by now.
    if (this.#closing !== undefined) throw new CaracalError('credential_unavailable', 'closed');
  }

  async #save(entry: ConnectionEntry): Promise<void> {
    try {
      await this.#log.append(connectionLine(entry));
    } catch (cause) {
      throw new CaracalError('credential_unavailable', 'not_durable', { cause });
    }
  }

  #load({ key, connection }: ConnectionEntry): void {
    if (connection === undefined) this.#kept.delete(textOf(key));
    else this.#kept.set(textOf(key), { key: copyOf(key), connection });
  }

  *#snapshot(): Generator<string> {
    for (const kept of this.#kept.values()) yield connectionLine(kept);
  }
}

// Two parts more for a subject's own: no subject can be named so that it is taken for the shared one.
function textOf({ zoneId, providerId, owner }: ConnectionKey): string {
  return compositeKey(owner === 'shared' ? [zoneId, providerId] : [zoneId, providerId, owner.issuer, owner.subject]);
}

function copyOf({ zoneId, providerId, owner }: ConnectionKey): ConnectionKey {
  return Object.freeze({ zoneId, providerId, owner: owner === 'shared' ? owner : Object.freeze({ ...owner }) });
}

function damaged(path: string, cause: DamagedLine): Error {
  const whole = cause.line - 1;
  const cut = whole === 0 ? 'move it away' : `keep its first ${whole} lines (head -n ${whole})`;
  return new Error(
    `${path}: ${cause.message}. Restore the file from a copy; or ${cut}, and let people connect again what the rest connected`,
    { cause },
  );
}
