import { timingSafeEqual } from 'node:crypto';
import type { Seals } from './seals.js';

/** What a bucket held at a head: how many entries, and the seal over them. */
export interface SealedBucket {
  /** Hours since the epoch, or `Infinity`. */
  readonly end: number;
  readonly count: number;
  readonly seal: string;
}

/** The state of the whole dataset after one commit. */
export interface Head {
  /** Random; another one is another dataset. */
  readonly generation: string;
  /** Commits since the generation began. */
  readonly sequence: number;
  /** Until when those who remember an earlier dataset may still be writing back, wall clock, ms. */
  readonly settlesAt: number;
  readonly buckets: ReadonlyMap<number, SealedBucket>;
  /** As it stands in the dataset. */
  readonly text: string;
}

/** Thrown for what does not carry the seal it must. */
export class DamagedDataset extends Error {
  override readonly name = 'DamagedDataset';
}

/** Seals a head. */
export function sealedHead(seals: Seals, head: Omit<Head, 'text'>): Head {
  const { generation, sequence, settlesAt, buckets } = head;
  const list = [...buckets.values()].map(({ end, count, seal }) => [
    end === Number.POSITIVE_INFINITY ? null : end, // JSON has no Infinity
    ...[count, seal],
  ]);
  const body = JSON.stringify([generation, sequence, settlesAt, list]);
  return { ...head, text: `${seals.head(body)} ${body}` };
}

/** Reads a head. @throws DamagedDataset for one that these seals do not prove */
export function parseHead(seals: Seals, text: string): Head {
  const space = text.indexOf(' ');
  const body = text.slice(space + 1);
  const expected = Buffer.from(seals.head(body));
  const found = Buffer.from(text.slice(0, Math.max(space, 0)));
  if (expected.length !== found.length || !timingSafeEqual(expected, found)) {
    throw new DamagedDataset('the head is not sealed with this key');
  }
  const [generation, sequence, settlesAt, list] = JSON.parse(body) as [
    string,
    number,
    number,
    [number, number, string][],
  ];
  const buckets = new Map<number, SealedBucket>();
  for (const [hours, count, seal] of list) {
    const end = hours === null ? Number.POSITIVE_INFINITY : hours;
    buckets.set(end, { end, count, seal });
  }
  return { generation, sequence, settlesAt, buckets, text };
}
