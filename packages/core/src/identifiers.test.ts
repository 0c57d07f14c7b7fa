import { describe, expect, it } from 'vitest';
import { createIdentifiers } from './identifiers.js';

describe('createIdentifiers', () => {
  it('makes UUIDs of version 7 that increase and never repeat, past its pool of random numbers', () => {
    const newId = createIdentifiers();
    const ids = Array.from({ length: 20_000 }, newId);
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });
});
