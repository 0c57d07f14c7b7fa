import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Denial } from '../errors.js';
import { credentialNeedles } from './credential-needles.js';
import { createHeaderClassifier } from './header-classifier.js';
import { foldName } from './header-names.js';
import { type CallerHeadersInput, callerHeaders } from './response-headers.js';

type Case = Partial<Omit<CallerHeadersInput, 'resource'>> & {
  readonly resource?: Partial<CallerHeadersInput['resource']>;
};

function build({ resource, ...input }: Case): string[] | Denial {
  return callerHeaders({
    classifier: createHeaderClassifier(),
    status: 200,
    headers: [],
    resource: {
      upstream: { origin: 'https://api.example', host: 'api.example', basePath: '/base' },
      passCookies: false,
      redirects: 'pass',
      ...resource,
    },
    target: '/base/items?page=1',
    mountPrefix: '',
    publicUrl: undefined,
    needles: [],
    requestId: 'ours',
    tokenExpiresInSeconds: 59.9,
    corsOrigins: [],
    origin: undefined,
    ...input,
  });
}

const SET = [
  ...['X-Caracal-Request-Id', 'ours', 'X-Caracal-Token-Expires-In', '59'],
  ...['Vary', 'Authorization, X-Caracal-Resource'],
];
const SET_WITH_ID = ['X-Request-Id', 'ours', ...SET];

/** What was passed through, without what the gateway sets. */
function passed(input: Case): string[] {
  const headers = build(input);
  if (headers instanceof Denial) throw new Error(headers.reason);
  expect(headers.slice(-SET_WITH_ID.length)).toEqual(SET_WITH_ID);
  return headers.slice(0, -SET_WITH_ID.length);
}

const REMOVED = [
  ...['Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Proxy-Connection', 'Set-Cookie'],
  ...['X-Caracal-Error', 'X-Caracal-Request-Id', 'Server', 'X-Powered-By', 'X-AspNet-Version', 'X-AspNetMvc-Version'],
  ...['Refresh', 'Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials', 'Alt-Svc', 'Proxy-Authenticate'],
  ...['Strict-Transport-Security', 'Clear-Site-Data', 'NEL', 'Report-To', 'Set-Cookie2'],
];
const PASSED = ['Content-Type', 'WWW-Authenticate', 'ETag', 'Vary', 'Content-Encoding', 'Retry-After', 'X-Custom'];

function respelled(name: string): fc.Arbitrary<string> {
  return fc.array(fc.nat(3), { minLength: name.length, maxLength: name.length }).map((picks) =>
    Array.from(name, (char, i) => {
      if (char === '-') return ['-', '_', '.', '-'][picks[i]!]!;
      return picks[i]! % 2 === 0 ? char.toLowerCase() : char.toUpperCase();
    }).join(''),
  );
}

describe('callerHeaders', () => {
  it('lets nothing pass that is to be removed, in any spelling, and keeps the order of the rest', () => {
    const removed = fc.constantFrom(...REMOVED).chain(respelled);
    const header = fc.tuple(fc.oneof(removed, fc.constantFrom(...PASSED)), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(header, { maxLength: 20 }), (list) => {
        const headers = list.flatMap(([name, value]) => [name, foldName(name) === 'connection' ? 'close' : value]);
        expect(passed({ headers })).toEqual(list.filter(([name]) => PASSED.includes(name)).flat());
      }),
      { numRuns: 300 },
    );
  });

  it('removes what Connection nominates, but not the length and not its own headers', () => {
    const nominations = 'close, x-hop, content-length, x-request-id, vary, x-caracal-request-id';
    const headers = ['X_Hop', '1', 'Content-Length', '5', 'X-Request-Id', 'up', 'ETag', 'e', 'Connection', nominations];
    expect(passed({ headers })).toEqual(['ETag', 'e', 'Content-Length', '5']);
  });

  it("keeps the upstream's request id and sets its own only where there is none", () => {
    expect(build({ headers: ['x-request-id', 'up'] })).toEqual(['x-request-id', 'up', ...SET]);
    expect(build({})).toEqual(SET_WITH_ID);
  });

  it('sets nothing on an interim response', () => {
    const headers = ['Link', '</base/style.css>; rel=preload, <https://cdn.example/x>; rel=preload', 'Server', 'x'];
    expect(build({ status: 103, headers })).toEqual(['Link', '</style.css>; rel=preload']);
  });

  it('treats a switch of protocols as an answer', () => {
    const headers = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', 'x'];
    expect(passed({ status: 101, headers })).toEqual(['Sec-WebSocket-Accept', 'x']);
  });

  it('never says that a mandate expires before now', () => {
    expect(build({ tokenExpiresInSeconds: -3 })).toContain('0');
  });

  it('answers CORS itself', () => {
    const headers = ['Access-Control-Allow-Origin', '*'];
    const origin = 'https://app.example';
    const answer = build({ headers, corsOrigins: [origin], origin }) as string[];
    expect(answer[answer.indexOf('Access-Control-Allow-Origin') + 1]).toBe(origin);
    expect(answer.slice(-2)).toEqual(['Vary', 'Origin']);
    expect(answer).not.toContain('*');
    expect(build({ headers, corsOrigins: [], origin })).toEqual(SET_WITH_ID);
  });

  it('passes cookies where the resource says so, without their domain', () => {
    const headers = ['Set-Cookie', 'a=1; Domain=api.example; Path=/', 'set-cookie', 'b=2'];
    expect(passed({ headers })).toEqual([]);
    expect(passed({ headers, resource: { passCookies: true } })).toEqual([
      ...['Set-Cookie', 'a=1; Path=/', 'set-cookie', 'b=2'],
    ]);
  });

  it('rewrites and removes references', () => {
    const headers = [
      'Location',
      '/base/x',
      'Content-Location',
      'y',
      'Link',
      '<?page=2>; rel=next',
      'Location',
      '/admin',
    ];
    expect(passed({ headers, publicUrl: 'https://gw.example', mountPrefix: '/m' })).toEqual([
      ...['Location', 'https://gw.example/m/x', 'Content-Location', 'https://gw.example/m/y'],
      ...['Link', '<https://gw.example/m/items?page=2>; rel=next'],
    ]);
  });

  it('passes a redirect to a foreign origin, or denies it where redirects are blocked', () => {
    const headers = ['Location', 'https://files.example/x'];
    expect(passed({ status: 302, headers })).toEqual(headers);
    const resource = { redirects: 'block' as const };
    for (const location of ['https://files.example/x', '//evil.example', '/\\evil.example', 'javascript:x']) {
      const answer = build({ status: 307, headers: ['location', location], resource });
      expect(answer).toMatchObject({ code: 'redirect_not_allowed' });
    }
    expect(passed({ status: 302, headers: ['Location', '/base/x'], resource })).toEqual(['Location', '/x']);
    expect(passed({ status: 302, headers: ['Location', '/admin'], resource })).toEqual([]);
    expect(passed({ status: 201, headers, resource })).toEqual([]);
    expect(passed({ status: 304, headers, resource })).toEqual([]);
    expect(passed({ status: 302, headers: ['Content-Location', 'https://files.example/x'], resource })).toEqual([]);
  });

  it('removes every header that holds the credential', () => {
    const secret = 'sk_live_4f9a+/x';
    const needles = credentialNeedles([secret]);
    const headers = [
      ...['X-Echo', `key ${secret}`, 'X-Base64', btoa(`user:${secret}`), 'X-Percent', encodeURIComponent(secret)],
      ...['X-sk_live_4f9a+/x', '1', 'Location', `/base/x?api_key=${encodeURIComponent(secret)}`],
      ...['Content-Location', '/base/sk_li\tve_4f9a+/x', 'X-Request-Id', secret, 'ETag', 'e'],
    ];
    expect(passed({ headers, needles })).toEqual(['ETag', 'e']);
  });

  it('denies a blocked redirect even where its header holds the credential', () => {
    const headers = ['Location', 'https://evil.example/?k=secret-key'];
    const answer = build({ status: 302, headers, needles: ['secret-key'], resource: { redirects: 'block' } });
    expect(answer).toBeInstanceOf(Denial);
  });

  it('is not made for a resource without an upstream', () => {
    expect(() => build({ headers: ['Location', '/x'], resource: { upstream: undefined } })).toThrow(TypeError);
  });
});
