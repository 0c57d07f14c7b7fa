import { describe, expect, it } from 'vitest';
import { checkedPrefix, hashOf } from './keyspace.js';

describe('keys', () => {
  it('differ wherever the parts do, lone surrogates too', () => {
    const parts = [
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['ab', 'c'],
      ['a', 'bc'],
      ['abc'],
      ['\ud800'],
      ['\ud801'],
      ['\ufffd'],
      [''],
      [],
    ];
    expect(new Set(parts.map(hashOf)).size).toBe(parts.length);
  });

  it('take no prefix that would choose a slot or be a pattern', () => {
    for (const prefix of ['{a}', 'a*', 'a?', '', ' ', 'a\n', 'x'.repeat(65), 7]) {
      expect(() => checkedPrefix('redisStores', prefix)).toThrow('redisStores: prefix');
    }
    expect(checkedPrefix('redisStores', 'team-a:caracal')).toBe('team-a:caracal');
  });
});
