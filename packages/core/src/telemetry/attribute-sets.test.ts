import { describe, expect, it } from 'vitest';
import { AttributeSets, MAX_KEPT_SETS } from './attribute-sets.js';

type Ended = { readonly status: number; readonly error: string | undefined };

const sets = () =>
  new AttributeSets<Ended>(
    ({ status, error }) => ({ 'z.first': 1, 'http.response.status_code': status, 'error.type': error }),
    (a, b) => a.status === b.status && a.error === b.error,
  );

describe('AttributeSets', () => {
  it('makes a set once, sorted by name and without what is undefined', () => {
    const ended = sets();
    const attributes = ended.of({ status: 200, error: undefined });
    expect(Object.entries(attributes)).toEqual([
      ['http.response.status_code', 200],
      ['z.first', 1],
    ]);
    expect(ended.of({ status: 200, error: undefined })).toBe(attributes);
    expect(Object.keys(ended.of({ status: 200, error: 'timeout' }))).toEqual([
      'error.type',
      'http.response.status_code',
      'z.first',
    ]);
  });

  it('lets nobody change a set that others get too', () => {
    expect(Object.isFrozen(sets().of({ status: 200, error: undefined }))).toBe(true);
  });

  it('keeps so many and makes the others anew, which are right all the same', () => {
    const ended = sets();
    for (let status = 0; status < MAX_KEPT_SETS; status++) ended.of({ status, error: undefined });
    const beyond = { status: MAX_KEPT_SETS, error: undefined };
    expect(ended.of(beyond)).toEqual(ended.of(beyond));
    expect(ended.of(beyond)).not.toBe(ended.of(beyond));
    expect(ended.of({ status: 0, error: undefined })).toBe(ended.of({ status: 0, error: undefined }));
  });
});
