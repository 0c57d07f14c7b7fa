import { describe, expect, it } from 'vitest';
import { DamagedDataset, parseHead, type SealedBucket, sealedHead } from './head.js';
import { Seals } from './seals.js';

const seals = new Seals(new Uint8Array(32).fill(1), 'caracal');
const buckets = new Map<number, SealedBucket>([
  [Number.POSITIVE_INFINITY, { end: Number.POSITIVE_INFINITY, count: 1, seal: 'lasting' }],
  [500_000, { end: 500_000, count: 2, seal: 'hour' }],
]);
const head = sealedHead(seals, { generation: 'g', sequence: 7, settlesAt: 1, buckets });

describe('a head', () => {
  it('is read as it was written', () => {
    expect(parseHead(seals, head.text)).toEqual(head);
  });

  it('is refused with any byte changed, cut off or added, with another key, or under another prefix', () => {
    for (let i = 0; i < head.text.length; i++) {
      const changed = `${head.text.slice(0, i)}${head.text[i] === 'A' ? 'B' : 'A'}${head.text.slice(i + 1)}`;
      expect(() => parseHead(seals, changed)).toThrow(DamagedDataset);
      expect(() => parseHead(seals, head.text.slice(0, i))).toThrow(DamagedDataset);
    }
    expect(() => parseHead(seals, `${head.text} `)).toThrow(DamagedDataset);
    expect(() => parseHead(new Seals(new Uint8Array(32).fill(2), 'caracal'), head.text)).toThrow(DamagedDataset);
    expect(() => parseHead(new Seals(new Uint8Array(32).fill(1), 'other'), head.text)).toThrow(DamagedDataset);
    expect(() => parseHead(new Seals(new Uint8Array(), 'caracal'), head.text)).toThrow(DamagedDataset);
  });
});
