import type { CaseRequest, HttpCase } from '../case.js';
import type { HeaderField } from '../message.js';

type Row = readonly [what: string, request: CaseRequest, evidence?: 'none'];

function refused(section: string, status: number | readonly number[], [what, request, evidence]: Row): HttpCase {
  return {
    name: `refuses ${what}`,
    section,
    run: async (t) => {
      const response = await t.send(request);
      await t.refused(response, { error: 'invalid_request', status, evidence: evidence ?? 'unauthenticated' });
    },
  };
}

function header(name: string, ...values: string[]): { readonly headers: readonly HeaderField[] } {
  return { headers: values.map((value): HeaderField => [name, value]) };
}

const HOSTS: readonly Row[] = [
  ['a request without Host', { host: null }, 'none'],
  ['an HTTP/1.0 request without Host', { host: null, version: 'HTTP/1.0' }],
  ['two Host headers', header('Host', 'other.test')],
  ['two equal Host headers', header('Host', 'gateway.test')],
  ['an empty Host', { host: '' }],
  ...[
    'a/b',
    'user@gateway.test',
    'a b',
    'a,b',
    'a:b',
    'a:99999',
    'a:1:2',
    'a?b',
    'a#b',
    '[::1',
    '[zz]',
    'a\\b',
    '%zz',
    'a"b',
  ].map((host): Row => [`${host} as Host`, { host }]),
];

// Most parsers refuse these themselves; what matters is that no upstream sees anything.
const POST: CaseRequest = { method: 'POST', target: '/a' };
const FRAMING: readonly Row[] = [
  ['two different lengths', { ...POST, ...header('Content-Length', '5', '6') }, 'none'],
  ['two equal lengths', { ...POST, ...header('Content-Length', '0', '0') }, 'none'],
  ['a list of lengths', { ...POST, ...header('Content-Length', '0, 0') }, 'none'],
  ['a length and chunked', { ...POST, chunks: ['hello'], ...header('Content-Length', '15') }, 'none'],
  ...['+5', '-1', '5x', '0x5', '', ' ', '1e1', '5.0', '99999999999999999999'].map(
    (length): Row => [`"${length}" as a length`, { ...POST, ...header('Content-Length', length) }, 'none'],
  ),
  ...[
    'gzip, chunked',
    'chunked, chunked',
    'identity',
    'gzip',
    'xchunked',
    'chunked, identity',
    'chunked;q=1',
    '"chunked"',
  ].map(
    (coding): Row => [`"${coding}" as a transfer coding`, { ...POST, ...header('Transfer-Encoding', coding) }, 'none'],
  ),
  ['two transfer codings on two lines', { ...POST, ...header('Transfer-Encoding', 'chunked', 'chunked') }, 'none'],
  [
    'an empty transfer coding beside a length',
    {
      ...POST,
      headers: [
        ['Transfer-Encoding', ''],
        ['Content-Length', '0'],
      ],
    },
    'none',
  ],
  ['a transfer coding on HTTP/1.0', { ...POST, version: 'HTTP/1.0', chunks: ['hello'] }, 'none'],
  ['a blank before the colon of Transfer-Encoding', { ...POST, ...header('Transfer-Encoding ', 'chunked') }, 'none'],
  ['a blank before the colon of Content-Length', { ...POST, ...header('Content-Length ', '0') }, 'none'],
  ['a folded header', { headers: [['X-Folded', 'a\r\n b']] }, 'none'],
  ['a header without a name', { headers: [['', 'value']] }, 'none'],
  ['a header name with a blank', { headers: [['X Y', 'value']] }, 'none'],
  ['a NUL in a header', { headers: [['X-Nul', 'a\0b']] }, 'none'],
  ['a carriage return in a header', { headers: [['X-Cr', 'a\rb']] }, 'none'],
  ['a control character in a header', { headers: [['X-Control', 'a\x01b']] }, 'none'],
];

function many(count: number, bytes: number): readonly HeaderField[] {
  return Array.from({ length: count }, (_, index): HeaderField => [`X-Filler-${index}`, 'f'.repeat(bytes)]);
}

/** Row 1 without the target. */
export const headCases: readonly HttpCase[] = [
  ...HOSTS.map((row) => refused('2.1', 400, row)),
  ...FRAMING.map((row) => refused('2.1', [400, 501], row)),
  ...['TRACE', 'LINK', 'MKCOL'].map((method) =>
    refused('2.1', 405, [`${method}, which no operation names`, { method, target: '/a' }]),
  ),
  refused('2.1', [400, 405], ['CONNECT', { method: 'CONNECT', target: 'evil.test:443' }, 'none']),
  refused('2.1', [400, 405], ['CONNECT to a path', { method: 'CONNECT', target: '/a' }, 'none']),
  refused('2.1', [400, 405], ['a method nobody knows', { method: 'BREW', target: '/a' }, 'none']),
  refused('2.1', [400, 405], ['a method in lower case', { method: 'get', target: '/a' }, 'none']),
  refused('2.1', 414, ['a target above 8 KiB', { target: `/${'a'.repeat(8 * 1024)}` }]),
  refused('2.1', 431, ['more than 100 headers', { headers: many(100, 1) }]),
  refused('2.1', 431, ['headers of more than 32 KiB together', { headers: many(40, 1024) }, 'none']),
  refused('2.1', 431, ['one header of more than 32 KiB', { headers: many(1, 33 * 1024) }, 'none']),
  refused('2.1', 417, ['an expectation other than 100-continue', header('Expect', '200-ok')]),
  refused('2.1', [400, 417], ['two expectations', header('Expect', '100-continue', 'other')]),
  refused('2.1', [400, 505], ['HTTP/1.2', { version: 'HTTP/1.2' }, 'none']),
  refused('2.1', [400, 505], ['HTTP/0.9', { version: 'HTTP/0.9' }, 'none']),
  refused('2.1', [400, 505], ['HTTP/3.0', { version: 'HTTP/3.0' }, 'none']),
  refused('2.1', [400, 505], ['a request line without a version', { version: '' }, 'none']),
  refused('2.2', 400, ['two Authorization headers', header('Authorization', 'Bearer other')]),
  refused('2.2', 400, [
    'two Authorization headers of which one is another scheme',
    header('Authorization', 'Basic YTpi'),
  ]),
  refused('2.2', 400, ['two resource headers', header('X-Caracal-Resource', 'resource://root')]),
  refused('2.2', 400, ['two equal resource headers', header('X-Caracal-Resource', 'resource://echo')]),
  refused('2.2', 400, ['X-Caracal-Client-Id', header('X-Caracal-Client-Id', 'someone-else')]),
  refused('2.2', 400, ['x-caracal-client-id in lower case and empty', header('x-caracal-client-id', '')]),
  ...[
    ['an empty resource', ''],
    ['a resource that is no URI', 'billing-api'],
    ['a relative resource', '//billing-api'],
    ['a resource with a comma', 'resource://a,resource://echo'],
    ['a resource with a blank', 'resource://a b'],
    ['a resource with a byte above ASCII', 'resource://b\xfcro'],
    ['a resource of 513 characters', `resource://${'a'.repeat(502)}`],
  ].map(([what, resource]) =>
    refused('2.2', 400, [what!, { resource: resource!, claims: { target: ['resource://echo'] } }]),
  ),
  {
    name: 'takes almost 100 headers',
    section: '2.1',
    run: async (t) => {
      await t.allowed(await t.send({ headers: many(90, 1) }));
    },
  },
  {
    name: 'takes a Host that is an IPv6 address with a port',
    section: '2.1',
    run: async (t) => {
      await t.allowed(await t.send({ host: '[::1]:8081' }));
    },
  },
  {
    name: 'refuses a wrong target before it asks for a mandate',
    section: '2',
    run: async (t) => {
      const response = await t.send({ target: '/../a', mandate: null });
      await t.refused(response, { error: 'invalid_request', status: 400, evidence: 'unauthenticated' });
    },
  },
  {
    name: 'closes the connection after a request it cannot parse, and answers nothing that was sent behind it',
    section: '2.1',
    run: async (t) => {
      const connection = await t.connect();
      const smuggled = await t.request({ target: '/smuggled' });
      const head = await t.request({ ...POST, ...header('Content-Length', '5', '6') });
      void connection.send(Buffer.concat([head, Buffer.from('hello'), smuggled]));
      const answers = (await connection.untilClosed()).toString('latin1').match(/HTTP\/1\.1 \d{3}/g) ?? [];
      if (answers.length > 1 || answers.some((answer) => answer === 'HTTP/1.1 200')) {
        throw new Error(`answered ${answers.join(', ')}`);
      }
      t.nothingReceived();
    },
  },
  {
    name: 'aborts the upstream where a chunk of the body has no valid size',
    section: '2.1',
    run: async (t) => {
      const connection = await t.connect();
      const head = (await t.request({ ...POST, headers: [['Transfer-Encoding', 'chunked']] })).toString('latin1');
      void connection.send(`${head}5\r\nhello\r\nzz\r\n`);
      await connection.untilClosed();
      const [request] = t.upstream.requests(t.tag);
      await request?.closed;
      if (request?.bodyComplete) throw new Error('the upstream got a whole body');
    },
  },
];
