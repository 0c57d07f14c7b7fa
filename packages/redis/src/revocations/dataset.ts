import type { RedisCommands } from '../commands/commands.js';
import { type Change, changesText, parseChanges, parseField } from './change.js';
import { BEAT, COMMIT } from './dataset-scripts.js';
import { DamagedDataset, type Head, parseHead } from './head.js';
import type { Seals } from './seals.js';
import type { Step } from './state.js';

/** One commit as the log keeps it. */
export interface Commit {
  readonly head: Head;
  readonly changes: readonly Change[];
}

/** What the primary answers to a beat. */
export interface Beat {
  /** The server's clock, s since the epoch. */
  readonly serverSeconds: number;
  /** Names the history of its data: another after a restart or a failover. Empty where the server does not tell. */
  readonly history: string;
  /** The text of the head, if there is one. */
  readonly headText: string | undefined;
}

/** Entries of the log: how far a process may fall behind without reading the whole state again. */
const LOG_LENGTH = 20_000;
const ENTRIES_PAGE = 1_000;
/** Commits read at once, each of up to 500 changes. */
const COMMITS_PAGE = 20;
const BEAT_LIFE_MS = 60_000;

/** The keys of revocation in Redis, all in one slot, and how they are read and written. */
export class RevocationDataset {
  readonly #commands: RedisCommands;
  readonly #seals: Seals;
  readonly #tag: string;

  constructor(commands: RedisCommands, seals: Seals, prefix: string) {
    this.#commands = commands;
    this.#seals = seals;
    this.#tag = `{${prefix}:revocations}`;
  }

  /** The stream of a generation. */
  logKey(generation: string): string {
    return `${this.#tag}:${generation}:log`;
  }

  /** A key for whoever asks replicas: in the slot of all others. */
  get replicasKey(): string {
    return `${this.#tag}:replicas`;
  }

  /** Proves that the primary answers. */
  async beat(): Promise<Beat> {
    const keys = [this.#headKey(), `${this.#tag}:beat`];
    const answer = (await this.#commands.run(BEAT, keys, [BEAT_LIFE_MS])) as [
      string,
      string,
      string | null | undefined,
    ];
    const [seconds, history, head] = answer;
    return { serverSeconds: Number(seconds), history, headText: head ?? undefined };
  }

  /** The head, if there is one. @throws DamagedDataset */
  async head(): Promise<Head | undefined> {
    const text = await this.#commands.call('GET', this.#headKey());
    return text === null ? undefined : parseHead(this.#seals, text as string);
  }

  /** Makes a commit. @returns `false` where the head is not `before` any more */
  async commit(before: Head, head: Head, steps: readonly Step[]): Promise<boolean> {
    const { generation, sequence } = head;
    const keys = [this.#headKey(), this.logKey(generation)];
    const places = new Map<number, number>();
    const placeOf = (end: number): number => {
      let place = places.get(end);
      if (place === undefined) {
        place = keys.push(this.#bucketKey(generation, end));
        places.set(end, place);
      }
      return place;
    };
    const entries: (string | number)[] = [];
    for (const { change, field, leaves } of steps) {
      if (leaves !== undefined) entries.push(placeOf(leaves), field, '');
      entries.push(placeOf(change.end), field, change.op === 'revoke' ? '1' : '0');
    }
    // One that the steps have just emptied is gone already.
    const dropped = [...before.buckets.keys()].filter((end) => !head.buckets.has(end) && !places.has(end));
    for (const end of dropped) keys.push(this.#bucketKey(generation, end));
    const changes = changesText(steps.map(({ change }) => change));
    const args = [before.text, head.text, sequence, changes, LOG_LENGTH, dropped.length, ...entries];
    return (await this.#commands.run(COMMIT, keys, args)) === 1;
  }

  /**
   * Begins a generation in place of a head, `''` for none, and removes what was left of the one known here before.
   *
   * @returns `false` where the head is another
   */
  async begin(replacedText: string, head: Head, before: Head | undefined): Promise<boolean> {
    const ends = [...(before?.buckets.keys() ?? [])];
    const left = before === undefined ? [] : [this.logKey(before.generation)];
    for (const end of ends) left.push(this.#bucketKey(before!.generation, end));
    const keys = [this.#headKey(), this.logKey(head.generation), ...left];
    return (await this.#commands.run(COMMIT, keys, [replacedText, head.text, 0, '', 0, left.length])) === 1;
  }

  /** Commits after `sequence`, a page of them, oldest first. @throws DamagedDataset */
  async commitsAfter(generation: string, sequence: number): Promise<readonly Commit[]> {
    const range = [this.logKey(generation), `${sequence}-2`, '+', 'COUNT', COMMITS_PAGE] as const;
    return this.parseLog(await this.#commands.call('XRANGE', ...range));
  }

  /** Reads entries of the log. @throws DamagedDataset */
  parseLog(entries: unknown): readonly Commit[] {
    return (entries as [string, string[]][]).map(([, fields]) => {
      const [changesName, changes, headName, head] = fields;
      if (changesName !== 'changes' || headName !== 'head') throw new DamagedDataset('an entry of the log is none');
      return { head: parseHead(this.#seals, head!), changes: reading(() => parseChanges(changes!)) };
    });
  }

  /** A bucket's entries in pages, fuzzy where it changes meanwhile. @throws DamagedDataset */
  async *entries(generation: string, end: number): AsyncGenerator<readonly Change[]> {
    let cursor = '0';
    do {
      const scan = ['HSCAN', this.#bucketKey(generation, end), cursor, 'COUNT', ENTRIES_PAGE] as const;
      const [next, flat] = (await this.#commands.call(...scan)) as [string, string[]];
      cursor = next;
      yield reading(() => parsePage(flat, end));
    } while (cursor !== '0');
  }

  #headKey(): string {
    return `${this.#tag}:head`;
  }

  #bucketKey(generation: string, end: number): string {
    return `${this.#tag}:${generation}:${end === Number.POSITIVE_INFINITY ? 'lasting' : end}`;
  }
}

function parsePage(flat: readonly string[], end: number): readonly Change[] {
  const changes: Change[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    changes.push({ op: flat[i + 1] === '1' ? 'revoke' : 'lift', anchor: parseField(flat[i]!), end });
  }
  return changes;
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new DamagedDataset('an entry cannot be read', { cause });
  }
}
