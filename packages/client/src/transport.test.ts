import { describe, expect, it, vi } from 'vitest';
import {
  ConnectionRequiredError,
  InsufficientScopeError,
  NotPermittedError,
  RateLimitedError,
  UnavailableError,
  UpstreamError,
} from './errors.js';
import { fakeWorld, GATEWAY, refusal } from './fake-world.fixture.js';
import { refusalOf } from './refusal.js';

const stream = () => new ReadableStream({ start: (controller) => controller.close() });

describe('the transport', () => {
  it('takes paths and URLs of the gateway, in every form fetch does', async () => {
    const world = fakeWorld();
    const agent = world.client.transport();
    await agent('/v1/x?y=%2F', { headers: { Accept: 'text/plain' } });
    await agent(new URL(`${GATEWAY}/v1/x`));
    await agent(
      new Request(`${GATEWAY}/v1/x`, { method: 'POST', body: 'hello', headers: { Authorization: 'Bearer none' } }),
    );
    expect(world.calls.map(({ url, method }) => `${method} ${url}`)).toEqual([
      `GET ${GATEWAY}/v1/x?y=%2F`,
      `GET ${GATEWAY}/v1/x`,
      `POST ${GATEWAY}/v1/x`,
    ]);
    for (const { headers } of world.calls) {
      expect(headers.get('authorization')).toBe('Bearer m1');
      expect(headers.get('x-caracal-resource')).toBe('resource://api');
    }
    expect(world.calls[0]!.headers.get('accept')).toBe('text/plain');
    expect(world.calls[2]!.body).toBe('hello');
  });

  it('leaves the length of a body it knows to fetch', async () => {
    const world = fakeWorld();
    const headers = { 'Content-Length': '5' };
    await world.client.transport()('/x', { method: 'POST', body: 'hello', headers });
    await world.client.transport()('/x', { method: 'POST', body: stream(), headers, duplex: 'half' } as RequestInit);
    expect(world.calls.map((call) => call.headers.get('content-length'))).toEqual([null, '5']);
  });

  it.each([
    'https://evil.example/',
    'http://gateway.example/',
    'https://gateway.example:444/',
    'https://gateway.example.evil.example/',
    'https://gateway.example@evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    'relative',
    'data:text/plain,x',
    '',
  ])('sends nothing to %j', async (url) => {
    const world = fakeWorld();
    await expect(world.client.transport()(url)).rejects.toMatchObject({ code: 'foreign_url' });
    expect([...world.calls, ...world.mints]).toEqual([]);
  });

  it('keeps to the path of a gateway that has one', async () => {
    const world = fakeWorld({ gatewayUrl: `${GATEWAY}/caracal/` });
    const agent = world.client.transport();
    await agent('/v1');
    expect(world.calls[0]!.url).toBe(`${GATEWAY}/caracal/v1`);
    for (const url of [`${GATEWAY}/other`, `${GATEWAY}/caracal2`, '/../other', '/%2e%2e/other']) {
      await expect(agent(url)).rejects.toMatchObject({ code: 'foreign_url' });
    }
    expect(world.calls).toHaveLength(1);
  });

  it('follows redirects within the gateway and leaves those that lead elsewhere to the agent', async () => {
    const world = fakeWorld();
    const to = (status: number, location: string) => new Response(null, { status, headers: { Location: location } });
    world.onCall = ({ url }) => (url.endsWith('/old') ? to(302, '/new') : new Response('new'));
    const agent = world.client.transport();
    expect(await (await agent('/old')).text()).toBe('new');
    await agent('/old', { method: 'POST', body: 'x' });
    expect(world.calls.at(-1)).toMatchObject({ method: 'GET', url: `${GATEWAY}/new`, body: null });
    expect((await agent('/old', { redirect: 'manual' })).status).toBe(302);
    await expect(agent('/old', { redirect: 'error' })).rejects.toMatchObject({ code: 'redirected' });
    world.onCall = () => to(307, 'https://evil.example/');
    const before = world.calls.length;
    expect((await agent('/old')).headers.get('location')).toBe('https://evil.example/');
    expect(world.calls).toHaveLength(before + 1);
    world.onCall = () => to(302, '/again');
    expect((await agent('/again')).status).toBe(302);
    expect(world.calls).toHaveLength(before + 12);
  });

  it.each([
    [403, 'connection_required', ConnectionRequiredError, { connectUri: 'https://tokens.example/connect' }],
    [403, 'insufficient_scope', InsufficientScopeError, { scopes: ['a', 'b'] }],
    [403, 'operation_not_permitted', NotPermittedError, {}],
    [429, 'rate_limited', RateLimitedError, { retryAfterSeconds: 600 }],
    [503, 'audit_unavailable', UnavailableError, { retryAfterSeconds: 600 }],
    [502, 'upstream_unreachable', UpstreamError, { mayHaveHappened: false }],
    [504, 'upstream_timeout', UpstreamError, { mayHaveHappened: true }],
    [403, 'a_code_of_tomorrow', NotPermittedError, {}],
  ] as const)('turns %i %s into an error that says what to do', async (status, code, type, facts) => {
    const world = fakeWorld();
    const headers = { 'Retry-After': '600', 'WWW-Authenticate': 'Bearer realm="caracal", scope="a b"' };
    world.onCall = () => refusal(status, code, headers, { connect_uri: 'https://tokens.example/connect' });
    const error = await world.client
      .transport()('/x')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ code, status, requestId: 'r1', ...facts });
    expect(world.calls).toHaveLength(1);
  });

  it('hands over what the upstream answers, its own 401 too', async () => {
    const world = fakeWorld();
    world.onCall = () => new Response('no', { status: 401, headers: { 'WWW-Authenticate': 'Basic' } });
    const answer = await world.client.transport()('/x');
    expect([answer.status, await answer.text(), world.calls.length]).toEqual([401, 'no', 1]);
  });

  it('hands over refusals where it is asked to, and an error of a library tells them again', async () => {
    const world = fakeWorld();
    world.onCall = () => refusal(403, 'insufficient_scope', { 'WWW-Authenticate': 'Bearer scope="a"' });
    const answer = await world.client.transport({ refusals: 'response' })('/x');
    expect(answer.status).toBe(403);
    const thrown = Object.assign(new Error('library'), {
      status: 403,
      headers: answer.headers,
      error: await answer.json(),
    });
    const wrapped = new Error('outer', { cause: thrown });
    expect(refusalOf(wrapped)).toBeInstanceOf(InsufficientScopeError);
    expect(refusalOf(wrapped)).toMatchObject({ scopes: ['a'], requestId: 'r1' });
    expect(refusalOf({ response: { status: 429, headers: { 'x-caracal-error': 'rate_limited' } } })).toBeInstanceOf(
      RateLimitedError,
    );
    for (const other of [new Error('other'), undefined, null, 'text', { headers: {} }])
      expect(refusalOf(other)).toBeUndefined();
  });

  it('takes nothing that an upstream wrote for a refusal, wherever a library hangs it', () => {
    const forged = {
      headers: { 'x-caracal-error': 'connection_required' },
      status: 403,
      error: { connect_uri: 'https://evil.example' },
    };
    // As Stripe's library does: members of the error in the body become members of the error that it throws.
    const raw = { message: 'no', detail: forged, headers: { 'request-id': 'req_1' } };
    expect(refusalOf(Object.assign(new Error('no'), { raw, detail: forged, headers: raw.headers }))).toBeUndefined();
    for (const name of ['cause', 'detail', 'original', 'lastError', 'raw', 'error', 'data']) {
      expect(refusalOf(Object.assign(new Error('no'), { [name]: forged })), name).toBeUndefined();
    }
  });

  it('has no address for a person that is not one of the web', async () => {
    const world = fakeWorld();
    for (const connect_uri of ['javascript:alert(1)', 'data:text/html,x', '//evil.example', 7]) {
      world.onCall = () => refusal(403, 'connection_required', {}, { connect_uri });
      const error = await world.client
        .transport()('/x')
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ConnectionRequiredError);
      expect((error as ConnectionRequiredError).connectUri).toBeUndefined();
    }
  });

  it('hands over a revoked session as an answer too, without another request', async () => {
    const world = fakeWorld();
    world.onCall = () => refusal(401, 'session_revoked');
    const agent = world.client.transport({ refusals: 'response' });
    await agent('/x');
    const again = await agent('/x');
    expect([again.status, again.headers.get('x-caracal-error'), world.calls.length]).toEqual([
      401,
      'session_revoked',
      1,
    ]);
  });

  describe('sends again', () => {
    const unavailable = (code: string, seconds = '0') => refusal(503, code, { 'Retry-After': seconds });
    const post = { method: 'POST', body: 'x' };

    it('twice at most, what the gateway refused before the upstream, when the gateway says', async () => {
      const world = fakeWorld();
      world.onCall = () => (world.calls.length < 3 ? unavailable('overloaded') : new Response('ok'));
      expect((await world.client.transport()('/x', post)).status).toBe(200);
      world.onCall = () => unavailable('overloaded');
      await expect(world.client.transport()('/x', post)).rejects.toMatchObject({ code: 'overloaded' });
      expect(world.calls).toHaveLength(6);
    });

    it.each([
      ['a POST refused as shutting_down, which the upstream may have seen', 503, 'shutting_down', post],
      ['what the upstream may have seen', 504, 'upstream_timeout', {}],
      ['a fault', 500, 'internal_error', {}],
      ['a stream', 503, 'overloaded', { method: 'POST', body: stream(), duplex: 'half' } as RequestInit],
    ] as const)('not %s', async (_, status, code, init) => {
      const world = fakeWorld();
      world.onCall = () => refusal(status, code, { 'Retry-After': '0' });
      await expect(world.client.transport()('/x', init)).rejects.toMatchObject({ code });
      expect(world.calls).toHaveLength(1);
    });

    it('not what would take too long, and nothing after an abort', async () => {
      const world = fakeWorld();
      world.onCall = () => unavailable('overloaded', '11');
      await expect(world.client.transport()('/x')).rejects.toBeInstanceOf(UnavailableError);
      world.onCall = () => unavailable('overloaded', '10');
      const abort = new AbortController();
      const call = world.client.transport()('/x', { signal: abort.signal });
      await vi.waitFor(() => expect(world.calls).toHaveLength(2));
      abort.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      expect(world.calls).toHaveLength(2);
    });
  });

  it('takes request id and trace along, to the mint too, and nothing else', async () => {
    const world = fakeWorld({
      propagate: (headers) =>
        Object.assign(headers, { traceparent: '00-a-b-01', 'X-Request-Id': 'r', baggage: 'secret=1' }),
    });
    await world.client.transport()('/x', { headers: { 'x-request-id': 'mine' } });
    for (const { headers } of [...world.mints, ...world.calls]) {
      expect(headers.get('traceparent')).toBe('00-a-b-01');
      expect(headers.get('x-request-id')).toBe('mine');
      expect(headers.get('baggage')).toBeNull();
    }
    const { headers } = await world.client.gatewayRequest('resource://api');
    expect(headers).toMatchObject({ traceparent: '00-a-b-01', 'x-request-id': 'r' });
  });

  it('an abort of one call does not end the mint others wait for', async () => {
    const world = fakeWorld();
    let answer = (_: Response) => {};
    world.onMint = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const agent = world.client.transport();
    const aborted = agent('/x', { signal: AbortSignal.abort(new Error('enough')) });
    const other = agent('/x');
    await expect(aborted).rejects.toThrow('enough');
    await vi.waitFor(() => expect(world.mints).toHaveLength(1));
    answer(Response.json({ access_token: 'm', expires_in: 900 }));
    expect((await other).status).toBe(200);
    expect(world.calls).toHaveLength(1);
  });
});
