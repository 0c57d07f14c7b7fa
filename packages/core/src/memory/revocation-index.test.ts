import { describe, expect, it } from 'vitest';
import type { Anchor } from '../verify/anchor.js';
import { RevocationIndex } from './revocation-index.js';

function anchor(of: Partial<Anchor> = {}): Anchor {
  return { zoneId: 'default', issuer: 'https://issuer.example', kind: 'sid', id: 's1', ...of };
}

describe('RevocationIndex', () => {
  it('counts an anchor once, however often it is set or deleted', () => {
    const index = new RevocationIndex();
    index.set(anchor(), 1);
    index.set(anchor(), 2);
    index.set(anchor({ kind: 'jti' }), 2);
    expect(index.size).toBe(2);
    index.delete(anchor());
    index.delete(anchor());
    index.delete(anchor({ zoneId: 'other' }));
    expect(index.size).toBe(1);
    expect(index.until(anchor({ kind: 'jti' }))).toBe(2);
  });

  it('finds what is revoked after now, and not what has ended by now', () => {
    const index = new RevocationIndex();
    index.set(anchor(), 100);
    expect(index.hasAny([anchor()], 99)).toBe(true);
    expect(index.hasAny([anchor()], 100)).toBe(false);
  });

  it('follows a change of zone or issuer among the anchors it is asked for', () => {
    const index = new RevocationIndex();
    index.set(anchor({ zoneId: 'b', issuer: 'https://b.example' }), 100);
    const a = anchor({ zoneId: 'a', issuer: 'https://b.example' });
    const b = anchor({ zoneId: 'b', issuer: 'https://b.example' });
    expect(index.hasAny([a, b], 0)).toBe(true);
    expect(index.hasAny([b, a], 0)).toBe(true);
    expect(index.hasAny([a, anchor({ zoneId: 'b', issuer: 'https://a.example' }), a], 0)).toBe(false);
  });

  it('removes what has ended, and only that', () => {
    const index = new RevocationIndex();
    for (let i = 0; i < 100; i++) index.set(anchor({ zoneId: `z${i % 3}`, id: `${i}` }), i);
    index.deleteUntil(49);
    expect(index.size).toBe(50);
    expect(index.until(anchor({ zoneId: 'z1', id: '49' }))).toBeUndefined();
    expect(index.until(anchor({ zoneId: 'z2', id: '50' }))).toBe(50);
  });
});
