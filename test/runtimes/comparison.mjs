// The same bytes into every adapter: what came of them, without what differs each time (ids, times, ports).
import { runHttpCase } from '@caracal/testkit';

const CLAIMS = { sid: 'sid-1', root_sid: 'root-1', jti: 'jti-1', sub: 'user-1' };

const respond =
  (head, body = '') =>
  async (request, reply) => {
    await request.bodyEnded;
    await reply.write(`HTTP/1.1 ${head}\r\n\r\n${request.method === 'HEAD' ? '' : body}`);
  };
const billing = (parts) => ({ resource: 'resource://billing', claims: { scope: 'billing:read' }, ...parts });

/** What is sent, and what the upstream answers where it is not the default. */
const PROBES = [
  { name: 'GET', request: { target: '/a%2Fb/c?d=e&f=%20' } },
  { name: 'HEAD', request: { method: 'HEAD' }, answer: respond('200 OK\r\nContent-Length: 5\r\nETag: "e"') },
  { name: 'POST with a length', request: { method: 'POST', target: '/p', body: 'hello' } },
  { name: 'POST in chunks', request: { method: 'POST', chunks: ['one', 'two'] } },
  { name: 'POST of nothing', request: { method: 'POST', body: '' } },
  { name: 'DELETE', request: { method: 'DELETE', target: '/d/1' } },
  { name: 'OPTIONS', request: { method: 'OPTIONS', headers: [['Origin', 'https://app.test']] } },
  {
    name: 'headers that stay and headers that go',
    request: {
      headers: [
        ['Accept', 'text/plain'],
        ['accept-language', 'de'],
        ['X-Twice', '1'],
        ['X-Twice', '2'],
        ['X-Forwarded-For', '192.0.2.1'],
        ['X_Real_IP', '192.0.2.1'],
        ['Cookie', 'a=b'],
        ['Connection', 'X-Hop'],
        ['X-Hop', '1'],
        ['X-Request-Id', 'mine-1'],
        ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
        ['User-Agent', 'comparison'],
      ],
    },
  },
  { name: 'a chunked answer', answer: respond('200 OK\r\nTransfer-Encoding: chunked', '3\r\none\r\n0\r\n\r\n') },
  { name: 'an answer without a body', answer: respond('204 No Content\r\nETag: "e"') },
  { name: 'an answer that was not modified', answer: respond('304 Not Modified\r\nETag: "e"') },
  {
    name: 'an answer with cookies, a server and what else goes',
    request: { resource: null, host: 'cookies.test', claims: { target: ['resource://cookies'] } },
    answer: respond(
      '200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1; Domain=x.test\r\nSet-Cookie: b=2\r\nServer: s\r\nX-Caracal-Error: no\r\nX-Twice: 1\r\nX-Twice: 2',
      'ok',
    ),
  },
  { name: 'a redirect into the resource', answer: respond('302 Found\r\nLocation: /base/next\r\nContent-Length: 0') },
  {
    name: 'a redirect to elsewhere that is blocked',
    request: { resource: 'resource://block' },
    answer: respond('302 Found\r\nLocation: https://elsewhere.test/\r\nContent-Length: 0'),
  },
  { name: 'an error of the upstream', answer: respond('500 Oh\r\nContent-Length: 2\r\nContent-Type: text/x', 'oh') },
  { name: 'an upstream that is not there', request: { resource: 'resource://closed' } },
  { name: 'an upstream that answers nonsense', answer: respond('what') },
  { name: 'a mount', request: { resource: null, target: '/mnt/x?y', claims: { target: ['resource://mounted'] } } },
  { name: 'a key in a header', request: { resource: 'resource://key-header', headers: [['X-Api-Key', 'own']] } },
  { name: 'a key in the query', request: { resource: 'resource://key-query', target: '/?a=1&api_key=own' } },
  { name: 'no mandate', request: { mandate: null } },
  { name: 'a mandate that has expired', request: { claims: { exp: 1_000_000_000, iat: 999_999_999 } } },
  { name: 'a mandate that is none', request: { mandate: 'a.b.c' } },
  { name: 'an unknown resource', request: { resource: 'resource://nowhere' } },
  { name: 'no resource', request: { resource: null, claims: { target: ['resource://echo'] } } },
  { name: 'another target', request: { claims: { target: ['resource://root'] } } },
  { name: 'an operation that is declared', request: billing({ target: '/v1/invoices/7' }) },
  { name: 'an operation that is not', request: billing({ target: '/v2/invoices/7' }) },
  { name: 'a scope that is missing', request: billing({ method: 'POST', target: '/v1/invoices', body: '{}' }) },
  {
    name: 'a body that is too large',
    request: { method: 'POST', resource: 'resource://small', body: 'x'.repeat(1001) },
  },
  { name: 'two resources', request: { headers: [['X-Caracal-Resource', 'resource://root']] } },
  { name: 'a client id', request: { headers: [['X-Caracal-Client-Id', 'me']] } },
  { name: 'a method nobody declared', request: { method: 'TRACE' } },
  { name: 'too many headers', request: { headers: Array.from({ length: 101 }, (_, at) => [`X-${at}`, 'a']) } },
  { name: 'a wrong escape', request: { target: '/a%2e%2e%2fb%zz' } },
  { name: 'a dot segment behind an escape', request: { target: '/a%2f..%2fb' } },
];

/**
 * What an adapter answers, sends on and records, by probe.
 *
 * @param {import('@caracal/testkit').HttpSuite} suite
 * @returns {Promise<Record<string, any>>}
 */
export async function observations(suite) {
  const seen = {};
  for (const { name, request = {}, answer } of PROBES) {
    await runHttpCase({ name: `comparison: ${name}`, section: '2', run: (t) => observe(t, request, answer) }, suite);
    async function observe(t, parts, upstreamAnswer) {
      if (upstreamAnswer !== undefined) t.answer(upstreamAnswer);
      const response = await t.send({ ...parts, claims: { ...CLAIMS, ...parts.claims } });
      const records = await t.records(response);
      const received = [t.upstream, t.lone.stale, t.lone.fresh].flatMap((upstream) => upstream.requests(t.tag));
      for (const each of received) await each.bodyEnded;
      const known = { [t.tag]: '<case>', [t.upstream.host]: '<upstream>' };
      seen[name] = {
        verdict: {
          status: response.status,
          error: response.headers.find(([header]) => header.toLowerCase() === 'x-caracal-error')?.[1],
        },
        records: records.map((record) => withoutChance(record, known)),
        response: {
          headers: comparable(response.headers, known),
          body: plain(response.body.toString('latin1'), known),
        },
        upstream: received.map(({ method, target, headers, body }) => ({
          line: plain(`${method} ${target}`, known),
          headers: comparable(headers, known),
          body: body.toString('latin1'),
        })),
      };
    }
  }
  return seen;
}

/** What is compared of an observation: bytes only where the adapter sees and sends them as they are. */
export function compared(observation, raw) {
  const { verdict, records, response, upstream } = observation;
  return raw ? { verdict, records, response, upstream } : { verdict, records };
}

const CHANCE = new Set(['id', 'time', 'bootId', 'requestId', 'traceId', 'durationMs', 'firstByteMs']);
const LEFT_OUT = new Set(['date', 'connection', 'keep-alive']);

/** A record without what differs each time. */
export function withoutChance(record, known) {
  const kept = Object.entries(record).filter(([name]) => !CHANCE.has(name));
  return JSON.parse(plain(JSON.stringify(Object.fromEntries(kept)), known));
}

// Order is kept among lines of one name, which is all that means anything (RFC 9110 section 5.3).
function comparable(headers, known) {
  return headers
    .map(([name, value]) => [name.toLowerCase(), plain(value, known)])
    .filter(([name]) => !LEFT_OUT.has(name))
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
}

function plain(text, known) {
  let made = text;
  for (const [from, to] of Object.entries(known)) made = made.replaceAll(from, to);
  return made
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/00-(?!a{32})[0-9a-f]{32}-[0-9a-f]{16}-0[0-9]/g, '<trace>')
    .replaceAll(/00-a{32}-[0-9a-f]{16}-01/g, '<own trace>')
    .replaceAll(/^29\d$|^300$/g, '<life>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<address>');
}
