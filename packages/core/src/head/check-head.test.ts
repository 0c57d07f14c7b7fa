import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Denial, STATUS_OF_REASON } from '../errors.js';
import { readBearer } from '../verify/bearer.js';
import { type CheckedHead, checkHead, DEFAULT_HEAD_LIMITS, type HeadLimits } from './check-head.js';
import type { RequestHead } from './head.js';

const NO_METHODS: ReadonlySet<string> = new Set();

function head(overrides: Partial<RequestHead> = {}, ...headers: string[]): RequestHead {
  return {
    method: 'GET',
    target: '/v1/invoices/42?x=1',
    headers: ['Host', 'Gateway.Example:8081', ...headers],
    httpVersion: '1.1',
    peer: { address: '127.0.0.1' },
    upgrade: false,
    fidelity: 'raw',
    ...overrides,
  };
}

function check(request: RequestHead, limits: Partial<HeadLimits> = {}): CheckedHead | Denial {
  return checkHead(request, { ...DEFAULT_HEAD_LIMITS, ...limits }, NO_METHODS);
}

function accepted(request: RequestHead): CheckedHead {
  const verdict = check(request);
  if (verdict instanceof Denial) throw new Error(`denied: ${verdict.reason}`);
  return verdict;
}

function reasonOf(request: RequestHead, limits: Partial<HeadLimits> = {}): string | undefined {
  const verdict = check(request, limits);
  if (!(verdict instanceof Denial)) return undefined;
  expect(verdict.code).toBe('invalid_request');
  return verdict.reason;
}

describe('checkHead', () => {
  it('reads what the later checks need', () => {
    const request = head(
      { method: 'POST' },
      ...['authorization', 'Bearer abc', 'X-CARACAL-RESOURCE', 'resource://billing-api'],
      ...['content-length', '12', 'Expect', '100-Continue', 'X-Request-Id', 'r-1'],
    );
    expect(accepted(request)).toEqual({
      method: 'POST',
      path: '/v1/invoices/42',
      query: '?x=1',
      host: 'gateway.example:8081',
      authorization: 'Bearer abc',
      resource: 'resource://billing-api',
      clientRequestId: 'r-1',
      framing: 'length',
      contentLength: 12,
      expectsContinue: true,
      upgrade: undefined,
      origin: undefined,
      preflight: undefined,
    });
  });

  it('has the documented limits', () => {
    expect(DEFAULT_HEAD_LIMITS).toEqual({ maxHeaderCount: 100, maxHeaderBytes: 32768, maxTargetBytes: 8192 });
  });

  it('keeps the query apart, its further question marks too', () => {
    expect(accepted(head({ target: '/a?b?c' }))).toMatchObject({ path: '/a', query: '?b?c' });
    expect(accepted(head({ target: '/a?' }))).toMatchObject({ path: '/a', query: '?' });
    expect(accepted(head({ target: '//evil.example/a' }))).toMatchObject({ path: '//evil.example/a', query: '' });
  });

  it('takes the HTTP versions it knows', () => {
    for (const httpVersion of ['1.0', '1.1', '2.0']) expect(reasonOf(head({ httpVersion }))).toBeUndefined();
    for (const httpVersion of ['0.9', '1.2', '3.0', '', '1']) {
      expect(reasonOf(head({ httpVersion }))).toBe('http_version_unsupported');
    }
  });

  it('refuses a method that no operation names, and lists those there are', () => {
    const verdict = checkHead(head({ method: 'TRACE' }), DEFAULT_HEAD_LIMITS, new Set(['PROPFIND']));
    expect(verdict).toMatchObject({
      reason: 'method_not_allowed',
      members: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND' },
    });
    expect(checkHead(head({ method: 'PROPFIND' }), DEFAULT_HEAD_LIMITS, new Set(['PROPFIND']))).not.toBeInstanceOf(
      Denial,
    );
    expect(reasonOf(head({ method: 'get' }))).toBe('method_not_allowed');
  });

  it('uses the reasons that have a status of their own', () => {
    const reasons = [
      reasonOf(head({ method: 'CONNECT' })),
      reasonOf(head({ target: `/${'a'.repeat(8192)}` })),
      reasonOf(head({}, 'Expect', 'tea')),
      reasonOf(head({}, 'A', 'b'.repeat(32768))),
      reasonOf(head({ httpVersion: '0.9' })),
    ];
    expect(reasons.map((reason) => STATUS_OF_REASON[reason ?? ''])).toEqual([405, 414, 417, 431, 505]);
  });

  it('limits the number and the size of headers and the length of the target exactly', () => {
    const two = head({}, 'A', 'b');
    expect(reasonOf(two, { maxHeaderCount: 2 })).toBeUndefined();
    expect(reasonOf(two, { maxHeaderCount: 1 })).toBe('headers_too_large');
    const bytes = 'Host: Gateway.Example:8081\r\nA: b\r\n'.length;
    expect(reasonOf(two, { maxHeaderBytes: bytes })).toBeUndefined();
    expect(reasonOf(two, { maxHeaderBytes: bytes - 1 })).toBe('headers_too_large');
    expect(reasonOf(head({ target: '/abc' }), { maxTargetBytes: 4 })).toBeUndefined();
    expect(reasonOf(head({ target: '/abc' }), { maxTargetBytes: 3 })).toBe('target_too_long');
  });

  it.each(['*', 'http://a.example/', 'a.example:443', '', '/a/../b', '/a b', '/a?b#c'])(
    'refuses the target %j',
    (target) => {
      expect(reasonOf(head({ target }))).toMatch(/^(target|path|query)_/);
    },
  );

  it('wants exactly one valid Host, on HTTP/1.0 too', () => {
    expect(reasonOf(head({ headers: [] }))).toBe('host_missing');
    expect(reasonOf(head({ headers: [], httpVersion: '1.0' }))).toBe('host_missing');
    expect(reasonOf(head({}, 'host', 'gateway.example:8081'))).toBe('host_repeated');
    expect(reasonOf(head({ headers: ['Host', 'a@b'] }))).toBe('host_malformed');
    expect(reasonOf(head({ headers: ['Host', ''] }))).toBe('host_malformed');
  });

  it.each([
    [['Bad Name', 'x'], 'header_name_malformed'],
    [['', 'x'], 'header_name_malformed'],
    [['Content-Length ', '5'], 'header_name_malformed'],
    [['X-Y:', 'x'], 'header_name_malformed'],
    [['X-Ä', 'x'], 'header_name_malformed'],
    [['X-Y', 'a\r\nHost: b'], 'header_value_malformed'],
    [['X-Y', 'a\nb'], 'header_value_malformed'],
    [['X-Y', 'a\0b'], 'header_value_malformed'],
    [['X-Y', '\u0100'], 'header_value_malformed'],
    [['X-Y'], 'header_without_value'],
  ])('refuses the header %j', (headers, reason) => {
    expect(reasonOf(head({}, ...headers))).toBe(reason);
  });

  it('passes tabs and bytes above ASCII in values', () => {
    expect(reasonOf(head({}, 'X-Y', 'a\tb\xe9'))).toBeUndefined();
  });

  it('refuses framing that leaves doubt', () => {
    expect(reasonOf(head({}, 'Content-Length', '5', 'content-length', '5'))).toBe('content_length_repeated');
    expect(reasonOf(head({}, 'Content-Length', '5, 5'))).toBe('content_length_malformed');
    expect(reasonOf(head({}, 'Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked'))).toBe(
      'transfer_encoding_repeated',
    );
    expect(reasonOf(head({}, 'Transfer-Encoding', 'gzip, chunked'))).toBe('transfer_encoding_unknown');
    expect(reasonOf(head({}, 'Transfer-Encoding', 'chunked', 'Content-Length', '5'))).toBe(
      'length_and_transfer_encoding',
    );
    expect(accepted(head({}, 'Transfer-Encoding', 'chunked'))).toMatchObject({
      framing: 'chunked',
      contentLength: undefined,
    });
    expect(accepted(head({}, 'Content-Length', '0'))).toMatchObject({ framing: 'length', contentLength: 0 });
    expect(accepted(head())).toMatchObject({ framing: 'none', contentLength: undefined });
  });

  it.each([
    'X_Caracal_Resource',
    'x.caracal-resource',
    'X_Caracal-Client.Id',
    'Content_Length',
    'Transfer_Encoding',
    'transfer.encoding',
    'Content+Length',
    'X!Caracal!Resource',
  ])('refuses %s, which some readers take for the name with dashes', (name) => {
    expect(reasonOf(head({}, name, '5'))).toBe('header_name_ambiguous');
  });

  it('lets other names with underscores be', () => {
    expect(reasonOf(head({}, 'content_type', 'a', 'X_Forwarded_For', 'b'))).toBeUndefined();
  });

  it('takes the credential and the resource at most once', () => {
    expect(reasonOf(head({}, 'Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer a'))).toBe('authorization_repeated');
    expect(reasonOf(head({}, 'X-Caracal-Resource', 'a:b', 'x-caracal-resource', 'a:b'))).toBe('resource_repeated');
    expect(reasonOf(head({}, 'X-Caracal-Client-Id', 'me'))).toBe('client_id_header');
  });

  it.each(['', 'billing', 'a:b,c:d', 'a:b c', 'a:b#c', ':b', 'a:', '1a:b', `a:${'b'.repeat(511)}`])(
    'refuses the resource %j',
    (resource) => {
      expect(reasonOf(head({}, 'X-Caracal-Resource', resource))).toBe('resource_malformed');
    },
  );

  it('sees a second value where the runtime joins them', () => {
    const joined = (name: string, value: string) => reasonOf(head({ fidelity: 'joined' }, name, value));
    expect(joined('Authorization', 'Bearer a, Bearer b')).toBe('authorization_repeated');
    expect(joined('X-Caracal-Resource', 'a:b, a:b')).toBe('resource_repeated');
    expect(joined('Content-Length', '5, 5')).toBe('content_length_repeated');
    expect(reasonOf(head({ fidelity: 'joined', headers: ['host', 'a, b'] }))).toBe('host_repeated');
    expect(joined('Accept', 'a, b')).toBeUndefined();
  });

  it('ignores an expectation on HTTP/1.0 and refuses an unknown one elsewhere', () => {
    expect(accepted(head({ httpVersion: '1.0' }, 'Expect', 'tea'))).toMatchObject({ expectsContinue: false });
    expect(reasonOf(head({}, 'Expect', '100-continue, tea'))).toBe('expectation_unknown');
    expect(reasonOf(head({}, 'Expect', ''))).toBe('expectation_unknown');
  });

  it('takes a request id of visible ASCII only, and no two of them', () => {
    const idOf = (...headers: string[]) => accepted(head({}, ...headers)).clientRequestId;
    expect(idOf('X-Request-Id', 'a'.repeat(128))).toBe('a'.repeat(128));
    expect(idOf('X-Request-Id', 'a'.repeat(129))).toBeUndefined();
    expect(idOf('X-Request-Id', '')).toBeUndefined();
    expect(idOf('X-Request-Id', 'a b')).toBeUndefined();
    expect(idOf('X-Request-Id', 'a', 'x-request-id', 'b')).toBeUndefined();
  });

  it('reads Upgrade where Connection names it', () => {
    const upgradeOf = (...headers: string[]) => accepted(head({}, ...headers)).upgrade;
    expect(upgradeOf('Upgrade', 'WebSocket', 'Connection', 'keep-alive, Upgrade')).toBe('websocket');
    expect(upgradeOf('Upgrade', 'h2c', 'Upgrade', 'websocket', 'Connection', 'upgrade')).toBe('h2c, websocket');
    expect(upgradeOf('Upgrade', 'websocket', 'Connection', 'keep-alive', 'Connection', 'Upgrade')).toBe('websocket');
    expect(upgradeOf('Upgrade', 'websocket')).toBeUndefined();
    expect(upgradeOf('Upgrade', 'websocket', 'Connection', 'not-upgrade')).toBeUndefined();
    const old = head({ httpVersion: '1.0' }, 'Upgrade', 'websocket', 'Connection', 'upgrade');
    expect(accepted(old).upgrade).toBeUndefined();
  });

  it('refuses what the runtime has upgraded although the head does not ask for it', () => {
    expect(reasonOf(head({ upgrade: true }))).toBe('upgrade_malformed');
    expect(reasonOf(head({ upgrade: true }, 'Upgrade', 'websocket', 'Connection', 'Upgrade'))).toBeUndefined();
  });

  it('recognises a CORS preflight', () => {
    const asked = ['Origin', 'https://app.example', 'Access-Control-Request-Method', 'PUT'];
    const preflightOf = (...headers: string[]) => accepted(head({ method: 'OPTIONS' }, ...headers)).preflight;
    expect(preflightOf(...asked)).toEqual({ method: 'PUT', headers: undefined });
    expect(preflightOf(...asked, 'Access-Control-Request-Headers', 'a,b')).toEqual({ method: 'PUT', headers: 'a,b' });
    expect(preflightOf('Access-Control-Request-Method', 'PUT')).toBeUndefined();
    expect(preflightOf('Origin', 'https://app.example')).toBeUndefined();
    expect(accepted(head({}, ...asked))).toMatchObject({ preflight: undefined, origin: 'https://app.example' });
  });

  it('never throws, and what it accepts is clean', () => {
    const name = fc.oneof(
      fc.constantFrom('Host', 'Content-Length', 'Transfer-Encoding', 'Authorization', 'X-Caracal-Resource', 'Expect'),
      fc.constantFrom('Upgrade', 'Connection', 'Origin', 'X_Caracal_Resource', 'X-Request-Id', 'Accept'),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const value = fc.oneof(
      fc.constantFrom('a.example', '5', 'chunked', '100-continue', 'websocket', 'upgrade', 'resource://a'),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    const request = fc.record({
      method: fc.oneof(fc.constantFrom('GET', 'POST', 'OPTIONS'), fc.string()),
      target: fc.oneof(
        fc.constantFrom('/', '/a?b'),
        fc.string({ unit: 'binary' }).map((text) => `/${text}`),
      ),
      headers: fc
        .array(fc.oneof(fc.tuple(name, value)), { maxLength: 5 })
        .map((lines) => ['Host', 'a.example', ...lines.flat()]),
      httpVersion: fc.constantFrom('1.0', '1.1', '2.0', '9'),
      peer: fc.constant({ address: '127.0.0.1' }),
      upgrade: fc.boolean(),
      fidelity: fc.constantFrom('raw' as const, 'joined' as const),
    });
    fc.assert(
      fc.property(request, (candidate) => {
        const verdict = check(candidate);
        if (verdict instanceof Denial) return;
        const lines = candidate.headers.flatMap((name, i) => (i % 2 === 0 ? [[name, candidate.headers[i + 1]]] : []));
        const others = lines.filter(([name]) => name?.toLowerCase() !== 'authorization');
        expect(others.flat().join('')).not.toMatch(/[\r\n\0]/);
        // The one value left to its own reader, which takes a clean token or nothing.
        const token = readBearer(verdict.authorization);
        expect(token instanceof Denial || /^[\x21-\x7e]+$/.test(token)).toBe(true);
        expect(verdict.path + verdict.query).toBe(candidate.target);
        expect(candidate.headers.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host')).toHaveLength(1);
      }),
      { numRuns: 3_000 },
    );
  });
});
