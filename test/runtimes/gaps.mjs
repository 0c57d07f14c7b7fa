// What an adapter cannot do, case by case of the HTTP suite. The table in docs/adapters.md is made from this file and held
// equal to it by a test; a case that begins to pass where it is listed fails the run.
import { httpCases } from '@caracal/testkit';

const PARSER = ['node-20', 'node-22', 'node-24', 'deno', 'koa', 'express', 'fastify'];
const RAW_QUERY = /^forwards a target with (raw UTF-8|every high byte) in the query /;
const NOT_NORMAL = [
  /^refuses a target with a dot segment, as \/(\.|\.\.|\.\.\/a|a\/\.\/b|a\/\.\.\/b|a\/\.\.|a\/\.|%2e|%2E%2E\/a|\.%2e\/a|%2e\.\/a|\/\.\.\/a)$/,
  /^refuses a target with [\\<>"] in the path$/,
  'refuses a target with a wrong escape, as /a/%00/..',
  'refuses a wrong target before it asks for a mandate',
  'does not spend a single-use mandate on a request it refuses',
  /^forwards a target with every (byte a path may hold|printable byte in the query) /,
];
const FRAMING = [
  /^refuses (two different lengths|a list of lengths|a length and chunked|a folded header|a header without a name)$/,
  /^refuses ".*" as a length$/,
  /^refuses (two transfer codings on two lines|an empty transfer coding beside a length|a transfer coding on HTTP\/1\.0)$/,
  /^refuses a blank before the colon of /,
  /^refuses (a header name with a blank|a (NUL|carriage return|control character) in a header)$/,
  /^refuses (HTTP\/(1\.2|0\.9|3\.0)|a request line without a version)$/,
  /^refuses a target (in asterisk form|without a leading slash|that is a query alone)/,
  /^refuses a target with a (control character|blank) in the query$/,
];
const WEBSOCKET = [
  / (a|its) WebSocket(?! without Connection)/,
  /^carries a frame /,
  /^carries fragments /,
  /^takes no 101 /,
  /^keeps what the (caller|upstream) sends with its /,
  /^passes (frames with the mask|the subprotocol and the extension)/,
  'asks the upstream for the WebSocket with its own credential, and with nothing that is not the caller to say',
  'takes an answer of an upstream that closes before its 101 for none',
];

/**
 * `cases` maps where a gap is to the cases it covers, by name or pattern. `instead` says what the caller meets there.
 */
export const GAPS = [
  {
    gap: 'raw bytes of 0x80 and above in the query',
    instead: '400 `invalid_request`; on Bun and Deno.serve they arrive changed',
    why: 'the parser refuses them, or the URL in a `Request` cannot hold them: callers percent-encode',
    cases: { ...everywhere([...PARSER, 'hono', 'bun', 'deno-serve'], [RAW_QUERY]) },
  },
  {
    gap: 'a target that the URL parser rewrites',
    instead: 'the rewritten target is judged, and forwarded as it was judged (`/a/../b` is `/b`)',
    why: 'a `Request` holds a parsed URL; Deno.serve shows the raw one',
    cases: {
      hono: NOT_NORMAL,
      bun: [...NOT_NORMAL, /^refuses a target with byte 0x(7f|80|a0|c3|ff) in the path$/],
    },
  },
  {
    gap: 'a target that begins with `//`, towards a resource without a base path',
    instead: '400 `invalid_request`, nothing is sent',
    why: '`fetch` of Bun drops one of the slashes',
    cases: { bun: ['forwards a target that begins with two slashes to the resource and nowhere else'] },
  },
  {
    gap: 'targets in absolute form',
    instead: 'served as if in origin form; what they name is the gateway itself',
    why: 'a `Request` shows one URL, whatever form it came in',
    cases: {
      hono: [/^refuses a target in absolute form( with https)?$/],
      bun: [/^refuses a target in absolute form/],
      'deno-serve': [/^refuses a target in absolute form( with https)?$/, 'refuses a target in asterisk form'],
    },
  },
  {
    gap: 'requests that the runtime refuses by itself: framing, Host, versions, control characters',
    instead: 'a bare 400, 431 or 505, or a closed connection: no refusal of ours, no record; nothing goes upstream',
    why: 'the handler is not called',
    cases: {
      hono: [
        /^refuses (an HTTP\/1\.0 request without Host|a request without Host|an empty Host)$/,
        /^refuses (a\/b|user@gateway\.test|a b|a:b|a:99999|a:1:2|a\?b|a#b|\[::1|\[zz\]|a\\b|%zz) as Host$/,
        /^refuses a target in asterisk form/,
      ],
      bun: [
        ...FRAMING,
        /^refuses ".*" as a transfer coding$/,
        'refuses a request without Host',
        /^refuses a target with byte 0x(01|08|09|0b|0c|1f|20) in the path$/,
        /^refuses a method (nobody knows|in lower case)$/,
        /^refuses (headers of more than 32 KiB together|one header of more than 32 KiB)$/,
      ],
      'deno-serve': [
        ...FRAMING.filter((pattern) => !String(pattern).includes('asterisk')),
        /^refuses a target (in asterisk form that is no OPTIONS|without a leading slash|that is a query alone)/,
        /^refuses "(?!gzip, chunked").*" as a transfer coding$/,
        /^refuses two (equal )?Host headers$/,
        /^refuses a target with byte 0x.* in the path$/,
        'refuses CONNECT to a path',
      ],
    },
  },
  {
    gap: 'repeated headers, their order, and the case of names',
    instead: 'one line a name, values joined by commas, names in lower case and sorted; `Set-Cookie` is kept apart',
    why: '`Headers` keeps no more',
    cases: everywhere(
      ['hono', 'bun', 'deno-serve'],
      [
        'passes headers in order, with the case of their names and repeated',
        'passes response headers with the case of their names',
        'passes repeated response headers in order',
      ],
    ),
  },
  {
    gap: 'a mandate with a comma',
    instead: '400 `invalid_request` instead of 401 `invalid_token`',
    why: 'it looks like two `Authorization` lines that were joined',
    cases: everywhere(['hono', 'bun', 'deno-serve'], [/^refuses (a,b|a, Bearer b) as a mandate$/]),
  },
  {
    gap: 'a body on GET',
    instead: '400 `invalid_request`, nothing is sent',
    why: 'a `Request` with method GET has no body',
    cases: everywhere(
      ['hono', 'bun', 'deno-serve'],
      ['passes a body of GET', 'never sends GET with a body once more after its bytes were written'],
    ),
  },
  {
    gap: 'interim responses (103)',
    instead: 'dropped; on Bun not counted either',
    why: 'nothing can precede a `Response`; `fetch` does not show them',
    cases: {
      ...everywhere(['hono', 'deno-serve'], ['passes an early hint before the answer']),
      bun: ['passes an early hint before the answer', 'answers 502 where the upstream answers 17 interim responses'],
    },
  },
  {
    gap: '`100 Continue` waits for the verdict',
    instead: 'it is sent at once',
    why: 'the runtime sends it before the handler runs',
    cases: everywhere(['bun', 'deno-serve'], ['asks for no body that waits for 100-continue where it refuses']),
  },
  {
    gap: 'an answer before the upload has ended closes the connection',
    instead:
      'the answer comes and nothing goes upstream any more; the connection stays open for the rest of the upload',
    why: 'a handler does not get hold of the connection',
    cases: everywhere(['bun', 'deno-serve'], ['cuts an upload when its mandate is revoked']),
  },
  {
    gap: 'the head of an answer goes out before its first byte',
    instead: 'head and first byte go out together',
    why: 'Bun.serve keeps the head back until then',
    cases: {
      bun: ['passes the head of an answer on before its body', 'answers HEAD with the length and without a body'],
    },
  },
  {
    gap: 'pipelined requests',
    instead: 'the connection is closed',
    why: 'Bun.serve takes them only where the answer is there at once',
    cases: { bun: ['judges every pipelined request by its own mandate and answers in order'] },
  },
  {
    gap: 'trailers of a request',
    instead: '400 from the runtime',
    why: 'the parser of Bun.serve refuses them',
    cases: { bun: ['drops trailers of the request'] },
  },
  {
    gap: 'connections to the upstream are reused, and a safe request is sent once more where one was closed meanwhile',
    instead: 'a connection for every request; 502 `upstream_invalid` where it closes',
    why: '`fetch` of Bun would send any request again, POST too, unless connections are not kept',
    cases: { bun: [/^sends .* once more where a reused connection closes/, 'reuses a connection to the upstream'] },
  },
  {
    gap: 'WebSockets',
    instead: 'never opened: refused, at the latest with 403 `upgrade_not_permitted`; nothing goes upstream',
    why: 'a `Request` does not hand over its connection',
    cases: {
      bun: WEBSOCKET,
      'deno-serve': [...WEBSOCKET, 'answers no WebSocket in place of the request before it'],
    },
  },
  {
    gap: 'a request with a body that asks for HTTP/2 (`Upgrade: h2c`)',
    instead: '400 from the runtime',
    why: 'Deno.serve does not take it for a request',
    cases: { 'deno-serve': ['serves a request that asks for HTTP/2 as if it had not asked, with its body'] },
  },
];

/**
 * The gaps of a runtime: name of the case, reason.
 *
 * @param {string} runtime
 * @param {typeof GAPS} [declared]
 * @returns {Record<string, string>}
 * @throws TypeError for a pattern that no case is, and for a case that two patterns claim: a second reason hides the first
 */
export function gapsOf(runtime, declared = GAPS) {
  const gaps = {};
  for (const { gap, why, cases } of declared) {
    for (const pattern of cases[runtime] ?? []) {
      const names = httpCases.map(({ name }) => name).filter((name) => matches(pattern, name));
      if (names.length === 0) throw new TypeError(`gaps.mjs: no case is ${pattern}`);
      for (const name of names) {
        if (name in gaps) throw new TypeError(`gaps.mjs: ${runtime} declares "${name}" twice, again by ${pattern}`);
        gaps[name] = `${gap}: ${why}`;
      }
    }
  }
  return gaps;
}

/** The table as docs/adapters.md shows it. */
export function gapTable() {
  const rows = GAPS.map(({ gap, instead, why, cases }) => {
    const where = placesOf(Object.keys(cases)).join(', ');
    return `| ${gap} | ${where} | ${instead} | ${why} |`;
  });
  return ['| gap | where | what happens instead | why |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const PLACES = [
  { place: '`node:http` (Node, Deno, Koa, Express, Fastify)', runtimes: PARSER },
  { place: 'fetch under Hono on Node', runtimes: ['hono'] },
  { place: 'fetch on Bun', runtimes: ['bun'] },
  { place: 'Deno.serve', runtimes: ['deno-serve'] },
];

function placesOf(runtimes) {
  return PLACES.filter((place) => place.runtimes.some((name) => runtimes.includes(name))).map(({ place }) => place);
}

function everywhere(runtimes, patterns) {
  return Object.fromEntries(runtimes.map((name) => [name, patterns]));
}

function matches(pattern, name) {
  return typeof pattern === 'string' ? pattern === name : pattern.test(name);
}
