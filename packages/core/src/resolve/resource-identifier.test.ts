import { describe, expect, it } from 'vitest';
import { isResourceIdentifier } from './resource-identifier.js';

describe('isResourceIdentifier', () => {
  it.each(['resource://billing-api', 'https://api.example/v1?x=%20', 'urn:example:a', 'a:b', `a:${'b'.repeat(510)}`])(
    'accepts %s',
    (text) => {
      expect(isResourceIdentifier(text)).toBe(true);
    },
  );

  it.each([
    '',
    'a',
    'a:',
    ':a',
    '1:a',
    '-a:b',
    'a b:c',
    'a:b c',
    'a:b,c',
    'a:b#c',
    'a:"',
    'a:<',
    'a:\\',
    'a:\xe9',
    `a:${'b'.repeat(511)}`,
  ])('refuses %j', (text) => {
    expect(isResourceIdentifier(text)).toBe(false);
  });
});
