import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announcesBody } from './request-head.js';

describe('announcesBody', () => {
  it.each([
    [[], false],
    [['Content-Length', '0'], false],
    [['Content-Length', '00'], false],
    [['content-length', '1'], true],
    [['Content-Length', 'x'], true],
    [['Transfer-Encoding', 'identity'], true],
    [['X-Content-Length', '5'], false],
  ])('says of %j: %s', (headers, announced) => {
    expect(announcesBody(headers)).toBe(announced);
  });

  it('finds a framing header in any case and anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.mixedCase(fc.constant('transfer-encoding')), (names, framing) => {
        const headers = [...names, framing].flatMap((name) => [name, 'chunked']);
        expect(announcesBody(headers)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
