import type { RevocationDataset } from './dataset.js';
import { DamagedDataset, type Head } from './head.js';
import type { Seals } from './seals.js';
import { RevocationState } from './state.js';

/** The whole dataset, proved complete by the seals of `head`. */
export interface Loaded {
  readonly head: Head;
  readonly state: RevocationState;
}

/** The dataset became another while it was read. */
const MOVED = Symbol('moved');
const ATTEMPTS = 5;

/**
 * Reads the whole dataset. Its buckets are read page by page while others go on writing; what they wrote meanwhile stands in the
 * log and is applied after, and then everything must match the last head. `undefined` where there is no dataset.
 *
 * @throws DamagedDataset for one that its head does not prove; Error for one with more than `maxEntries`
 */
export async function loadDataset(
  dataset: RevocationDataset,
  seals: Seals,
  maxEntries: number,
): Promise<Loaded | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const head = await dataset.head();
    if (head === undefined) return undefined;
    const loaded = await readAt(dataset, seals, head, maxEntries);
    if (loaded !== MOVED) return loaded;
  }
  throw new Error('the dataset of revocations changed faster than it could be read');
}

async function readAt(
  dataset: RevocationDataset,
  seals: Seals,
  began: Head,
  maxEntries: number,
): Promise<Loaded | typeof MOVED> {
  const { generation } = began;
  let entries = 0;
  for (const { count } of began.buckets.values()) entries += count;
  if (entries > maxEntries) throw new Error(`the dataset has ${entries} revocations, more than maxEntries allows`);
  const state = new RevocationState(seals);
  let read = 0;
  for (const end of began.buckets.keys()) {
    for await (const page of dataset.entries(generation, end)) {
      read += page.length;
      // Whoever adds entries without end must not fill this process's memory. A scan may tell of an entry twice.
      if (read > 2 * maxEntries) throw new DamagedDataset('there are more entries than its head says');
      state.adopt(state.planAsRead(page));
    }
  }
  let head = began;
  for (;;) {
    const last = await dataset.head();
    if (last?.generation !== generation || last.sequence < head.sequence) return MOVED;
    while (head.sequence < last.sequence) {
      const commits = await dataset.commitsAfter(generation, head.sequence);
      if (commits.length === 0) return MOVED;
      for (const commit of commits) {
        if (commit.head.sequence !== head.sequence + 1) return MOVED;
        state.adopt(state.planAsRead(commit.changes));
        head = commit.head;
      }
    }
    if (state.matches(generation, head.buckets)) return { head, state };
    if ((await dataset.head())?.text === last.text) throw new DamagedDataset('its entries are not those of its head');
  }
}
