import type { HttpCase } from '../case.js';

/** What each case shows: this target is refused in row 1, whoever asks. */
function refusedTarget(
  what: string,
  target: string,
  evidence: 'none' | 'unauthenticated' = 'unauthenticated',
): HttpCase {
  return {
    name: `refuses a target with ${what}`,
    section: '2.target',
    run: async (t) => {
      const response = await t.send({ target });
      await t.refused(response, { error: 'invalid_request', status: 400, evidence });
    },
  };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

// Control characters and, in a request line, the blank: parsers may refuse these before a gateway sees a request.
const UNPARSABLE = [0x01, 0x08, 0x09, 0x0b, 0x0c, 0x1f, 0x20, 0x7f];
const HIGH = [0x80, 0xa0, 0xc3, 0xff];

const FORBIDDEN: readonly HttpCase[] = [
  ...[...'\\#<>"'].map((character) => refusedTarget(`${character} in the path`, `/a${character}b`)),
  ...UNPARSABLE.map((byte) =>
    refusedTarget(`byte ${hex(byte)} in the path`, `/a${String.fromCharCode(byte)}b`, 'none'),
  ),
  ...HIGH.map((byte) => refusedTarget(`byte ${hex(byte)} in the path`, `/a${String.fromCharCode(byte)}b`, 'none')),
  refusedTarget('a fragment', '/a#fragment'),
  refusedTarget('a # in the query', '/a?b#c'),
  refusedTarget('a control character in the query', '/a?b=\x01', 'none'),
  refusedTarget('a blank in the query', '/a?b= c', 'none'),
];

const DOT_SEGMENTS: readonly string[] = [
  '/.',
  '/..',
  '/../a',
  '/a/./b',
  '/a/../b',
  '/a/..',
  '/a/.',
  '/..;/a',
  '/.;x=1/a',
  '/a/..;x=1/b',
  '/%2e',
  '/%2E%2E/a',
  '/.%2e/a',
  '/%2e./a',
  '/%2e%2e;/a',
  '/%2e%2e%3b/a',
  '/..%3bx/a',
  '/%252e/a',
  '/%252e%252e/a',
  '/.%252e/a',
  '/%25%32%65%25%32%65/a',
  '/a%2f..%2fb',
  '/a%2F%2e%2e%2Fb',
  '/..%2fa',
  '/a%2f..',
  '/..%5ca',
  '/a%5c..%5cb',
  '/a%5C%2E%2E%5Cb',
  '/a%252f..%252fb',
  '/a%252f%252e%252e%252fb',
  '/a%255c..',
  '//../a',
];

const ESCAPES: readonly string[] = [
  '/%',
  '/a%',
  '/%2',
  '/a%2/b',
  '/%zz',
  '/%g0',
  '/%0g',
  '/%u002e',
  '/a%-1',
  '/%00',
  '/a%00b',
  '/a/%00/..',
];

const FORMS: readonly (readonly [what: string, part: { readonly method?: string; readonly target: string }])[] = [
  ['in absolute form', { target: 'http://gateway.test/a' }],
  ['in absolute form towards another host', { target: 'http://169.254.169.254/latest' }],
  ['in absolute form with https', { target: 'https://gateway.test/a' }],
  ['in asterisk form', { method: 'OPTIONS', target: '*' }],
  ['in asterisk form that is no OPTIONS', { method: 'GET', target: '*' }],
  ['without a leading slash', { target: 'a/b' }],
  ['that is a query alone', { target: '?a=b' }],
];

/** Row 1, the target. */
export const targetCases: readonly HttpCase[] = [
  ...FORBIDDEN,
  ...DOT_SEGMENTS.map((target) => refusedTarget(`a dot segment, as ${target}`, target)),
  ...ESCAPES.map((target) => refusedTarget(`a wrong escape, as ${target}`, target)),
  ...FORMS.map(
    ([what, part]): HttpCase => ({
      name: `refuses a target ${what}`,
      section: '2.target',
      run: async (t) => {
        const response = await t.send({ ...part });
        await t.refused(response, { error: 'invalid_request', status: 400, evidence: 'none' });
      },
    }),
  ),
];
