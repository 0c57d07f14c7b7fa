import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidMandateError, MintError, SessionRevokedError } from './errors.js';
import { fakeWorld, refusal, SECRET } from './fake-world.fixture.js';

const bearer = (request: { headers: Headers } | undefined) => request?.headers.get('authorization');

describe('mandates', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are minted once for 100 calls at once', async () => {
    const world = fakeWorld();
    const agent = world.client.transport({ scopes: ['read'] });
    await Promise.all(Array.from({ length: 100 }, () => agent('/x')));
    expect(world.mints).toHaveLength(1);
    expect(world.calls).toHaveLength(100);
    expect(new Set(world.calls.map(bearer))).toEqual(new Set(['Bearer m1']));
  });

  it('are asked for with client credentials in Authorization, form-encoded', async () => {
    const world = fakeWorld();
    await world.client.transport({ scopes: ['read', 'write'] })('/x');
    const [mint] = world.mints;
    expect(String(mint!.body)).toBe(
      'grant_type=client_credentials&resource=resource%3A%2F%2Fapi&scope=read+write&zone_id=default',
    );
    const [id, secret] = atob(bearer(mint)!.replace('Basic ', '')).split(':');
    expect([id, decodeURIComponent(secret!.replaceAll('+', ' '))]).toEqual(['agent', SECRET]);
  });

  it('are exchanged for the token of whoever the agent acts for', async () => {
    const world = fakeWorld({ subjectToken: async () => 'session-of-a-person' });
    await world.client.transport()('/x');
    const form = world.mints[0]!.body as URLSearchParams;
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:token-exchange');
    expect(form.get('subject_token')).toBe('session-of-a-person');
    expect(form.has('scope')).toBe(false);
  });

  it('are renewed with half of their life left, once for all who call', async () => {
    const world = fakeWorld();
    const agent = world.client.transport();
    await agent('/x');
    await vi.advanceTimersByTimeAsync(449_000);
    await agent('/x');
    expect(world.mints).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    await Promise.all([agent('/x'), agent('/x'), agent('/x')]);
    expect(world.mints).toHaveLength(2);
    expect(world.calls.slice(2).map(bearer)).toEqual(['Bearer m2', 'Bearer m2', 'Bearer m2']);
  });

  it('serve on while the token service is down, up to shortly before their end, and then calls fail without a storm', async () => {
    const world = fakeWorld();
    const agent = world.client.transport();
    await agent('/x');
    world.onMint = () => Promise.reject(new TypeError('fetch failed'));
    await vi.advanceTimersByTimeAsync(600_000);
    const late = agent('/x');
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await late).status).toBe(200);
    expect(bearer(world.calls.at(-1))).toBe('Bearer m1');
    await vi.advanceTimersByTimeAsync(291_000);
    const tried = world.mints.length;
    const calls = Array.from({ length: 50 }, () => agent('/x').catch((error: unknown) => error));
    await vi.advanceTimersByTimeAsync(5_000);
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(MintError);
      expect(error).toMatchObject({ code: 'token_service_unreachable', status: 0 });
    }
    expect(world.mints.length - tried).toBe(3);
    world.onMint = () => Response.json({ access_token: 'again', expires_in: 900 });
    await agent('/x');
    expect(bearer(world.calls.at(-1))).toBe('Bearer again');
  });

  it('end when the gateway says so, whatever was told when they were minted', async () => {
    const world = fakeWorld();
    world.onCall = () => new Response('ok', { headers: { 'X-Caracal-Token-Expires-In': '100' } });
    const agent = world.client.transport();
    await agent('/x');
    await vi.advanceTimersByTimeAsync(51_000);
    await agent('/x');
    expect(world.mints).toHaveLength(2);
  });

  it('are replaced once where the gateway trusted one before and does no more', async () => {
    const world = fakeWorld();
    const agent = world.client.transport();
    await agent('/x');
    world.onCall = (request) => (bearer(request) === 'Bearer m1' ? refusal(401, 'invalid_token') : new Response('ok'));
    await Promise.all([agent('/x', { method: 'POST', body: '{}' }), agent('/x')]);
    expect(world.mints).toHaveLength(2);
  });

  it('are not replaced where a new one is not trusted either', async () => {
    const world = fakeWorld();
    world.onCall = () => refusal(401, 'invalid_token');
    const agent = world.client.transport();
    for (let count = 0; count < 5; count += 1) await expect(agent('/x')).rejects.toBeInstanceOf(InvalidMandateError);
    expect(world.mints).toHaveLength(1);
    expect(world.calls).toHaveLength(5);
  });

  it('of a revoked session are not used again, nor replaced, until the client is told to forget', async () => {
    const world = fakeWorld();
    const agent = world.client.transport();
    await agent('/x');
    world.onCall = () => refusal(401, 'session_revoked');
    const first = await agent('/x').catch((error: unknown) => error);
    expect(first).toBeInstanceOf(SessionRevokedError);
    expect(first).toMatchObject({ code: 'session_revoked', status: 401, requestId: 'r1' });
    const calls = Array.from({ length: 100 }, () => agent('/x').catch((error: unknown) => error));
    for (const error of await Promise.all(calls)) expect(error).toBeInstanceOf(SessionRevokedError);
    expect([world.mints.length, world.calls.length]).toEqual([1, 2]);
    await expect(world.client.gatewayRequest('resource://api')).rejects.toBeInstanceOf(SessionRevokedError);
    world.client.forget();
    world.onCall = () => new Response('ok');
    expect((await agent('/x')).status).toBe(200);
    expect(world.mints).toHaveLength(2);
  });

  it('are minted for each call where the resource takes them once', async () => {
    const world = fakeWorld();
    const seen = new Set<string | null>();
    world.onCall = (request) => {
      const used = seen.has(request.headers.get('authorization'));
      seen.add(request.headers.get('authorization'));
      return used ? refusal(401, 'token_replayed') : new Response('ok');
    };
    const agent = world.client.transport();
    for (let count = 0; count < 4; count += 1) expect((await agent('/x')).status).toBe(200);
    expect([world.mints.length, world.calls.length]).toEqual([4, 5]);
    world.onCall = () => refusal(401, 'token_replayed');
    await expect(agent('/x')).rejects.toMatchObject({ code: 'token_replayed' });
    expect([world.mints.length, world.calls.length]).toEqual([5, 6]);
  });

  it.each([
    ['no token', { expires_in: 900 }],
    ['a token with a line break', { access_token: 'a\r\nX-Evil: 1', expires_in: 900 }],
    ['no life', { access_token: 'a', expires_in: 0 }],
    ['null', null],
  ])('are refused where the answer has %s', async (_, answer) => {
    const world = fakeWorld();
    world.onMint = () => Response.json(answer);
    await expect(world.client.transport()('/x')).rejects.toMatchObject({ code: 'token_response_invalid' });
    expect(world.calls).toEqual([]);
  });

  it('that cannot be had fail with what the token service says, without a secret in it', async () => {
    const world = fakeWorld();
    world.onMint = () => Response.json({ error: 'invalid_client', error_description: SECRET }, { status: 401 });
    const error = await world.client
      .transport()('/x')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'MintError', code: 'invalid_client', status: 401 });
    expect(JSON.stringify(error) + String(error)).not.toContain(SECRET);
    expect(world.mints).toHaveLength(1);
  });

  it('are never asked for where the token endpoint redirects', async () => {
    const world = fakeWorld();
    world.onMint = () => new Response(null, { status: 307, headers: { Location: 'https://evil.example' } });
    await expect(world.client.transport()('/x')).rejects.toMatchObject({ code: 'token_response_invalid' });
    expect(world.mints).toHaveLength(1);
  });
});
