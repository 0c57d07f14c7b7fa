import { describe, expect, it } from 'vitest';
import { copiedValues, copyRow } from './copy-row.js';

describe('copyRow', () => {
  it('escapes what ends a value or a row, and tells NULL from the text of that name', () => {
    expect(copyRow(['a', null, 'NULL', '\\N', 'C:\\new\ttab\r\n', '', 7, '\\.'])).toBe(
      'a\t\\N\tNULL\t\\\\N\tC:\\\\new\\ttab\\r\\n\t\t7\t\\\\.\n',
    );
  });

  it('is read back as it was', () => {
    const values = ['a', null, '\\N', '\\\\t\\n\\', 'C:\\new\ttab\r\n', '', '\\.', 'Grüße \u{1f511}'];
    expect(copiedValues(copyRow(values).slice(0, -1))).toEqual(values);
  });
});
