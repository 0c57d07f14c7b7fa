import { describe, expect, it } from 'vitest';
import { columns, wrapped } from './columns.js';

describe('columns', () => {
  it('aligns all but the last and leaves no spaces at line ends', () => {
    expect(
      columns(
        [
          ['a', 'bb', 'a long last one'],
          ['ccc', '', ''],
        ],
        '  ',
      ),
    ).toBe('  a    bb  a long last one\n  ccc');
  });

  it('escapes what could take over a terminal', () => {
    expect(columns([['a\x1b[2J\nb', 'c\u202e']])).toBe('a\\u001b[2J\\u000ab  c\\u202e');
  });
});

describe('wrapped', () => {
  it('breaks at spaces and never within a word', () => {
    expect(wrapped('one two three averyveryverylongword four', 11, '  ')).toBe(
      '  one two\n  three\n  averyveryverylongword\n  four',
    );
  });
});
