import { setTimeout } from 'node:timers/promises';
import type { RedisClient } from '../commands/client.js';
import { RedisCommands } from '../commands/commands.js';
import type { RevocationDataset } from './dataset.js';
import type { FollowedRevocations } from './store.js';

/** How long the server holds a read open for news, ms. Below any command timeout that makes sense. */
const BLOCK_MS = 500;
const PAUSE_MS = 100;
/** Longest pause, after failures in a row, ms: what cannot be read may be large. */
const LONGEST_PAUSE_MS = 1_000;
/** Commits read at once: following those of a dataset that is being written back takes some ms each. */
const PAGE = 20;

/** Options of {@link followLog}. */
export interface FeedOptions {
  readonly subscriber: RedisClient;
  readonly dataset: RevocationDataset;
  readonly store: FollowedRevocations;
  readonly timeoutMs: number;
}

/**
 * Brings news to the store as they come, over a connection of its own, until it is stopped. Nothing depends on it but speed: the
 * store's own beats find what this misses.
 */
export function followLog({ subscriber, dataset, store, timeoutMs }: FeedOptions): () => void {
  const commands = new RedisCommands({
    client: subscriber,
    code: 'revocation_unavailable',
    timeoutMs: BLOCK_MS + timeoutMs,
  });
  let stopped = false;
  let silent = 0;
  let failures = 0;

  async function read(): Promise<void> {
    const head = store.position;
    if (head === undefined) return void (await setTimeout(PAUSE_MS)); // the state is being read
    const from = ['STREAMS', dataset.logKey(head.generation), `${head.sequence}-1`] as const;
    const news = entriesOf(await commands.call('XREAD', 'BLOCK', BLOCK_MS, 'COUNT', PAGE, ...from));
    silent = 0;
    if (!stopped && news.length > 0) store.follow(dataset.parseLog(news));
    failures = 0;
  }

  async function readOn(): Promise<void> {
    while (!stopped) {
      try {
        await read();
      } catch (cause) {
        store.damaged(cause);
        // A connection that was cut without a word: the driver would wait for many minutes.
        if (subscriber.status === 'ready' && ++silent % 3 === 0) subscriber.disconnect(true);
        await setTimeout(Math.min(PAUSE_MS * ++failures, LONGEST_PAUSE_MS));
      }
    }
  }

  void readOn(); // never rejects
  return () => {
    stopped = true;
  };
}

// RESP2 and RESP3, with the driver's shapes for both: [[key, entries]], [key, entries], { key: entries }.
function entriesOf(reply: unknown): readonly unknown[] {
  if (reply === null || reply === undefined) return [];
  if (!Array.isArray(reply)) return Object.values(reply)[0] as unknown[];
  return (Array.isArray(reply[0]) ? reply[0][1] : reply[1]) as unknown[];
}
