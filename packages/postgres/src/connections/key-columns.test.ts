import type { ConnectionKey } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { columnsOf, keyOf } from './key-columns.js';

const read = (key: ConnectionKey): ConnectionKey => {
  const [zone, provider, issuer, subject] = columnsOf(key);
  return keyOf({ zone, provider, issuer, subject });
};

describe('the columns of a key', () => {
  it('are the identifiers themselves, where these are ordinary', () => {
    const owner = { issuer: 'https://issuer.example', subject: 'alice@example.com' };
    expect(columnsOf({ zoneId: 'default', providerId: 'provider://api', owner })).toEqual([
      'default',
      'provider://api',
      'https://issuer.example',
      'alice@example.com',
    ]);
    expect(columnsOf({ zoneId: 'default', providerId: 'p', owner: 'shared' })).toEqual(['default', 'p', null, null]);
  });

  it('lose nothing, and hold nothing that PostgreSQL refuses', () => {
    for (const text of [
      '__proto__',
      '\n\t\u007f\u2028',
      "'; DROP TABLE x; --",
      'a\0b',
      '\0',
      '\ud800',
      '\udfff\ud800',
      '"',
      '\\',
      '\\u0000',
      '',
    ]) {
      const key: ConnectionKey = { zoneId: text, providerId: text, owner: { issuer: text, subject: text } };
      expect(read(key)).toEqual(key);
      expect(read({ ...key, owner: 'shared' })).toEqual({ ...key, owner: 'shared' });
      for (const column of columnsOf(key)) expect(column?.includes('\0') || !column?.isWellFormed()).toBe(false);
    }
  });
});
