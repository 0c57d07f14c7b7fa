import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHeaderClassifier } from './header-classifier.js';
import { foldName } from './header-names.js';
import { type UpstreamHeadersInput, upstreamHeaders } from './request-headers.js';

const TRACE = ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'];

interface Case {
  readonly headers?: readonly string[];
  readonly request?: UpstreamHeadersInput['request'];
  readonly resource?: Partial<UpstreamHeadersInput['resource']>;
  readonly headerNames?: readonly string[];
  readonly credential?: readonly string[];
}

function build({ headers = [], request, resource, headerNames = [], credential = [] }: Case): string[] {
  return upstreamHeaders({
    classifier: createHeaderClassifier(),
    head: { headers },
    request: request ?? { framing: 'none', contentLength: undefined, clientRequestId: undefined },
    resource: {
      upstream: { origin: 'https://billing.example', host: 'billing.example', basePath: '' },
      provider: { headerNames } as unknown as UpstreamHeadersInput['resource']['provider'],
      passCookies: false,
      forwarded: 'none',
      ...resource,
    },
    credential: { headers: credential },
    requestId: 'ours',
    traceHeaders: TRACE,
    mountPrefix: '',
    peerAddress: '192.0.2.1',
    publicUrl: undefined,
    via: 'caracal',
  });
}

const SET = ['X-Request-Id', 'ours', ...TRACE, 'Via', '1.1 caracal'];

/** What was passed through: without the headers the gateway sets on a request without a body. */
function passed(test: Case): string[] {
  const headers = build(test);
  expect(headers.slice(0, 2)).toEqual(['Host', 'billing.example']);
  const credential = test.credential ?? [];
  expect(headers.slice(headers.length - SET.length - credential.length)).toEqual([...SET, ...credential]);
  return headers.slice(2, headers.length - SET.length - credential.length);
}

const REMOVED = [
  ...['Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Proxy-Connection'],
  ...['Host', 'Content-Length', 'X-Request-Id', 'Traceparent', 'Tracestate', 'Authorization', 'Cookie'],
  ...['X-Caracal-Resource', 'X-Caracal-Client-Id', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Anything'],
  ...['Forwarded', 'X-Real-Ip', 'X-Client-Ip', 'True-Client-Ip', 'X-Host', 'X-Original-Url', 'X-Original-Uri'],
  ...['X-Rewrite-Url', 'X-Http-Method', 'X-Http-Method-Override', 'X-Method-Override', 'Proxy-Authorization', 'Proxy'],
  ...['Expect', 'DPoP', 'Txn-Token', 'Baggage', 'HTTP2-Settings', 'X-Api-Key'],
  // Kin of the above, which upstreams behind one or the other proxy believe.
  ...['X-Forwarded', 'Forwarded-For', 'Client-Ip', 'X-Cluster-Client-Ip', 'CF-Connecting-IP', 'CF-Connecting-IPv6'],
  ...['Fastly-Client-Ip', 'Fly-Client-IP', 'X-Azure-ClientIP', 'X-Azure-SocketIP', 'X-Envoy-External-Address'],
  ...['WL-Proxy-Client-IP', 'X-Scheme', 'X-Url-Scheme', 'Front-End-Https', 'Client-Cert', 'Client-Cert-Chain'],
  ...['X-Client-Cert', 'SSL-Client-Verify', 'X-SSL-Client-S-DN', 'Remote-User', 'X-Remote-User', 'X-Remote-Group'],
  ...['X-Remote-Extra-Scopes', 'X-WebAuth-User', 'X-Auth-Request-User', 'X-Auth-Request-Email'],
];
const PASSED = [
  'Accept',
  'Content-Type',
  'User-Agent',
  'Accept-Encoding',
  'X-Custom',
  'Idempotency-Key',
  'Origin',
  'Via',
];

function respelled(name: string): fc.Arbitrary<string> {
  return fc.array(fc.nat(3), { minLength: name.length, maxLength: name.length }).map((picks) =>
    Array.from(name, (char, i) => {
      if (char === '-') return ['-', '_', '.', '-'][picks[i]!]!;
      return picks[i]! % 2 === 0 ? char.toLowerCase() : char.toUpperCase();
    }).join(''),
  );
}

describe('upstreamHeaders', () => {
  it('passes the rest unchanged, in order, repeated headers too', () => {
    const headers = ['accept', 'a', 'X-Custom', '1', 'Authorization', 'Bearer x', 'x-custom', '2', 'ACCEPT', ''];
    expect(passed({ headers })).toEqual(['accept', 'a', 'X-Custom', '1', 'x-custom', '2', 'ACCEPT', '']);
  });

  it('lets nothing pass that is to be removed, in any spelling, and keeps the order of the rest', () => {
    const removed = fc.constantFrom(...REMOVED).chain(respelled);
    const header = fc.tuple(fc.oneof(removed, fc.constantFrom(...PASSED)), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(header, { maxLength: 20 }), (list) => {
        // Nominations are a test of their own.
        const headers = list.flatMap(([name, value]) => [name, foldName(name) === 'connection' ? 'close' : value]);
        const expected = list.filter(([name]) => PASSED.includes(name)).flat();
        expect(passed({ headers, headerNames: ['x-api-key'], credential: ['X-Api-Key', 'k'] })).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('removes what Connection nominates, whichever comes first', () => {
    const headers = [
      'X_Hop',
      '1',
      'Connection',
      'keep-alive, x-hop',
      'X-Hop',
      '2',
      'Accept',
      'a',
      'connection',
      'B.ee',
    ];
    expect(passed({ headers: [...headers, 'b-ee', '3', 'X-Caracal-B', '4'] })).toEqual(['Accept', 'a']);
  });

  it('does not let Connection remove what the gateway sets', () => {
    const nominations = 'host, content-length, x-request-id, traceparent, via, x-api-key, authorization';
    const headers = build({
      headers: ['Connection', nominations, 'Via', '1.0 other'],
      request: { framing: 'length', contentLength: 5, clientRequestId: undefined },
      credential: ['X-Api-Key', 'k', 'Authorization', 'Basic eA=='],
    });
    expect(headers).toEqual([
      ...['Host', 'billing.example', 'Content-Length', '5', ...SET],
      ...['X-Api-Key', 'k', 'Authorization', 'Basic eA=='],
    ]);
  });

  it('removes every spelling of what the credential brings, declared or not', () => {
    const headers = ['X_Api_Key', 'mine', 'x-api-key', 'mine', 'X-Token', 'mine', 'X-Declared', 'mine', 'Accept', 'a'];
    const credential = ['X-Api-Key', 'k', 'X_Token', 't'];
    expect(passed({ headers, headerNames: ['x_declared'], credential })).toEqual(['Accept', 'a']);
  });

  it('passes cookies where the resource says so', () => {
    const headers = ['Cookie', 'a=1', 'cookie', 'b=2'];
    expect(passed({ headers })).toEqual([]);
    expect(passed({ headers, resource: { passCookies: true } })).toEqual(headers);
  });

  it('declares a length exactly where one was declared', () => {
    const clientRequestId = undefined;
    const lengthOf = (request: UpstreamHeadersInput['request']) => {
      const headers = build({ headers: ['Content-Length', '7', 'Content_Length', '8'], request });
      return headers.filter((_, i) => headers[i - 1] === 'Content-Length');
    };
    expect(lengthOf({ framing: 'length', contentLength: 7, clientRequestId })).toEqual(['7']);
    expect(lengthOf({ framing: 'length', contentLength: 0, clientRequestId })).toEqual(['0']);
    expect(lengthOf({ framing: 'chunked', contentLength: undefined, clientRequestId })).toEqual([]);
    expect(lengthOf({ framing: 'none', contentLength: undefined, clientRequestId })).toEqual([]);
  });

  it("sends the caller's request id where it has one", () => {
    const headers = build({ request: { framing: 'none', contentLength: undefined, clientRequestId: 'theirs' } });
    expect(headers.slice(2, 4)).toEqual(['X-Request-Id', 'theirs']);
  });

  it('adds itself to Via on a line of its own', () => {
    const headers = build({ headers: ['Via', '1.0 fred'] });
    expect(headers.slice(2, 4)).toEqual(['Via', '1.0 fred']);
    expect(headers.slice(-2)).toEqual(['Via', '1.1 caracal']);
  });

  it("tells the client's address only where the resource asks", () => {
    expect(build({})).not.toContain('192.0.2.1');
    expect(build({ resource: { forwarded: 'x-forwarded' } }).slice(-2)).toEqual(['X-Forwarded-For', '192.0.2.1']);
    expect(build({ resource: { forwarded: 'forwarded' } }).slice(-2)).toEqual(['Forwarded', 'for=192.0.2.1']);
  });

  it('is not made for a resource without an upstream', () => {
    expect(() => build({ resource: { upstream: undefined } })).toThrow(TypeError);
  });
});
