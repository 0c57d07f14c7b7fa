import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interimResponse } from './interim.js';

describe('interimResponse', () => {
  it('writes the headers as they are, repeated ones too', () => {
    expect(interimResponse(103, ['Link', '<a>', 'link', '<\xe9>'])).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nlink: <\xe9>\r\n\r\n',
    );
  });

  it('is one head whatever its headers hold', () => {
    const text = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 4 }), (fields) => {
        const response = interimResponse(103, fields.flat());
        expect(response.indexOf('\r\n\r\n')).toBe(response.length - 4);
        expect(response.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
      }),
      { numRuns: 300 },
    );
  });
});
