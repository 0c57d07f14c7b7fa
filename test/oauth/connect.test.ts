import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_SECRET } from './authorization-server.js';
import { type ConnectWorld, connectWorld, PROVIDER_ID } from './connect-world.js';
import { MiniBrowser } from './mini-browser.js';
import { credentialRequest, tokenOf } from './requests.js';

let world: ConnectWorld;

beforeAll(async () => {
  world = await connectWorld({ shared: true });
});

afterEach(() => {
  world.events.length = 0;
  world.audit.records.length = 0;
  world.audit.faults.length = 0;
  world.audit.broken = false;
  world.upstream.tokenRequests.length = 0;
});

afterAll(() => world.close());

const tokenFor = (subject: string, issuer = world.signIn.issuer, zoneId = 'default'): Promise<string> =>
  tokenOf(world.provider.attach(credentialRequest(world.provider, { subject, issuer, zoneId })));

const keyOf = (subject: string) => ({
  zoneId: 'default',
  providerId: PROVIDER_ID,
  owner: { issuer: world.signIn.issuer, subject },
});

/** Everything the upstream was asked since the last test. */
const nothingGranted = (): void => expect(world.upstream.tokenRequests).toEqual([]);

describe('connecting an account', () => {
  it('tells a subject without one where to connect, and attaches its token once it has', async () => {
    expect(await tokenFor('alice')).toBe('connection_required not_connected');
    const done = await world.connect('alice');
    expect([done.status, done.text]).toEqual([200, expect.stringContaining('Files &#60;&#38;&#62; Co is connected')]);
    world.clock.advance(5_001);
    expect(await tokenFor('alice')).toMatch(/^[\w-]{20,}$/);
    const credential = await world.provider.attach(
      credentialRequest(world.provider, { subject: 'alice', issuer: world.signIn.issuer }),
    );
    expect(credential).toMatchObject({ connection: expect.stringMatching(/^cn_/) });
    expect(world.events.map(({ type }) => type)).toEqual(['connected']);
    expect(await world.service.status(keyOf('alice'))).toMatchObject({ state: 'connected', renewable: true });
  });

  it('serves it to nobody else: another subject, issuer or zone, or one whose name is made of separators', async () => {
    expect(await tokenFor('alice')).toMatch(/^[\w-]{20,}$/);
    const { issuer } = world.signIn;
    for (const [subject, from, zone] of [
      ['bob', issuer, 'default'],
      ['Alice', issuer, 'default'],
      ['alice', 'https://other.example', 'default'],
      ['alice', issuer, 'other'],
      [`alice:${issuer}`, issuer, 'default'],
      [`${issuer}5:alice`, '', 'default'],
      ['5:alice', `${issuer.length}:${issuer}`, 'default'],
      ['shared', 'shared', 'default'],
      ['', issuer, 'default'],
    ] as const) {
      expect(await tokenFor(subject, from, zone)).toBe('connection_required not_connected');
    }
  });

  it('gives nobody the account of a person who was sent a link', async () => {
    const link = await world.connectUri('mallory');
    const victim = new MiniBrowser();
    const page = await victim.signIn(await victim.open(link), 'victim');
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('signed in as somebody else')]);
    expect(world.events).toMatchObject([{ type: 'connect_refused', reason: 'signed_in_as_another' }]);
    expect(await tokenFor('mallory')).toBe('connection_required not_connected');
    expect(await tokenFor('victim')).toBe('connection_required not_connected');
    nothingGranted();
  });

  it('says plainly what is granted, and lets nothing in that could run', async () => {
    const browser = new MiniBrowser();
    const page = await browser.signIn(await browser.open(await world.connectUri('carol')), 'carol');
    for (const text of [
      'carol, signed in by',
      'agents that work for you',
      'application agent',
      'openid, offline_access',
      world.upstream.issuer,
    ]) {
      expect(page.text).toContain(text);
    }
    expect(page.text).not.toContain('<script');
    expect(page.url).toMatch(/\/connect\/decide\?s=[\w-]{16}$/);
    const headers = (await fetch(`${world.publicUrl}/connect`)).headers;
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    nothingGranted();
  });

  it('takes each state once, in the browser it was made for, and no form of another site', async () => {
    const browser = new MiniBrowser();
    const decision = await browser.signIn(await browser.open(await world.connectUri('dora')), 'dora');
    const signedIn = browser.visited.find((url) => url.includes('/connect/signed-in/'))!;
    expect((await browser.open(signedIn)).status).toBe(400);
    const foreign = await fetch(decision.url, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ once: 'x' }),
    });
    expect([foreign.status, await foreign.text()]).toEqual([403, expect.stringContaining('form_of_another_site')]);
    const consent = await browser.submit(decision, { do: 'connect' });
    expect((await browser.submit(decision, { do: 'connect' })).status).toBe(400);
    const before = browser.visited.length;
    const done = await browser.signIn(consent, 'dora@upstream');
    expect(done.status).toBe(200);
    const callback = browser.visited.slice(before).find((url) => url.includes('/connect/callback/'))!;
    expect((await browser.open(callback)).status).toBe(400);
    expect((await new MiniBrowser().open(callback)).status).toBe(400);
    expect(world.upstream.tokenRequests).toHaveLength(1);
  });

  it('says so where it cannot know yet whether a step was done before, and goes on once it can', async () => {
    const young = await connectWorld({}, 60);
    try {
      const browser = new MiniBrowser();
      const early = await browser.signIn(await browser.open(await young.connectUri()), 'alice');
      expect([early.status, early.text]).toEqual([503, expect.stringContaining('begun_before_memory')]);
      expect(early.text).toContain('Wait a minute');
      expect(young.upstream.tokenRequests).toEqual([]);
      young.clock.advance(61_000);
      expect((await young.connect('alice')).status).toBe(200);
    } finally {
      await young.close();
    }
  });

  it('redeems no code that another server has sent', async () => {
    const browser = new MiniBrowser();
    const decision = await browser.signIn(await browser.open(await world.connectUri('erin')), 'erin');
    await browser.submit(decision, { do: 'connect' });
    const state = new URL(
      browser.visited.find((url) => url.startsWith(`${world.upstream.issuer}/auth?`))!,
    ).searchParams.get('state')!;
    const callback = `${world.links.callbackUri(PROVIDER_ID)}?code=stolen&state=${state}&iss=${encodeURIComponent('https://evil.example')}`;
    const page = await browser.open(callback);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('callback_issuer_mismatch')]);
    nothingGranted();
  });

  it('takes its addresses from the configuration and not from Host', async () => {
    const link = await world.connectUri('frank');
    const answer = await world.service.handler(new Request(link.replace(world.publicUrl, 'https://evil.example')));
    const redirect = new URL(new URL(answer!.headers.get('location')!).searchParams.get('redirect_uri')!);
    expect(redirect.origin).toBe(world.publicUrl);
  });

  it('opens no link that was changed, ended, or made for a shared connection by anybody but an administrator', async () => {
    const link = await world.connectUri('grace');
    const browser = new MiniBrowser();
    const changed = `${link.slice(0, -2)}${link.at(-2) === 'A' ? 'B' : 'A'}${link.at(-1)}`;
    expect((await browser.open(changed)).status).toBe(400);
    world.clock.advance(60 * 60_000 + 1);
    expect((await browser.open(link)).status).toBe(400);
    const shared = await world.links.uriFor({ zoneId: 'default', providerId: PROVIDER_ID, owner: 'shared' });
    expect((await browser.open(shared)).status).toBe(403);
    nothingGranted();
  });

  it('connects a shared account by an invitation, once; a subject’s own comes first', async () => {
    await world.connect('heidi');
    const own = await tokenFor('heidi');
    const invitation = await world.service.invite({ zoneId: 'default', providerId: PROVIDER_ID, owner: 'shared' });
    const admin = new MiniBrowser();
    const decision = await admin.open(invitation);
    expect(decision.text).toContain('the agents of everyone');
    const late = new MiniBrowser();
    const second = await late.open(invitation);
    expect((await admin.signIn(await admin.submit(decision, { do: 'connect' }), 'team@upstream')).status).toBe(200);
    expect((await late.submit(second, { do: 'connect' })).text).toContain('invitation_used');
    world.clock.advance(5_001);
    const sharedToken = await tokenFor('nobody in particular');
    expect(sharedToken).toMatch(/^[\w-]{20,}$/);
    expect(await tokenFor('heidi')).toBe(own);
    expect(own).toMatch(/^[\w-]{20,}$/);
    expect(sharedToken).not.toBe(own);
    expect(await tokenFor('alice', world.signIn.issuer, 'other')).toBe('connection_required not_connected');
    expect(await world.service.disconnect({ zoneId: 'default', providerId: PROVIDER_ID, owner: 'shared' })).toEqual({
      result: 'disconnected',
      upstream: 'revoked',
    });
    // Where it was disconnected, at once.
    expect(await tokenFor('nobody in particular')).toBe('connection_required not_connected');
  });

  it('replaces an account when it is connected again, and forgets it when it is disconnected, upstream too', async () => {
    await world.connect('ivan');
    const first = await tokenFor('ivan');
    const link = await world.links.uriFor(keyOf('ivan'));
    const browser = new MiniBrowser();
    const decision = await browser.signIn(await browser.open(link), 'ivan');
    expect(decision.text).toContain('Connect again');
    await browser.signIn(await browser.submit(decision, { do: 'connect' }), 'ivan-two@upstream');
    expect(await tokenFor('ivan')).not.toBe(first);
    const again = await browser.signIn(await browser.open(link), 'ivan');
    expect((await browser.submit(again, { do: 'disconnect' })).text).toContain('has taken the access back');
    expect(await tokenFor('ivan')).toBe('connection_required not_connected');
    expect(world.upstream.revoked).toHaveLength(2);
    expect(world.events.map(({ type }) => type)).toEqual(['connected', 'reconnected', 'disconnected']);
    expect(world.events[2]?.reason).toBe('revoked');
  });

  it('lists whose accounts are connected, also those that nobody can use any more', async () => {
    await world.connect('kim');
    const kim = (await world.connections.get(keyOf('kim')))!;
    await world.connections.put(keyOf('mallory'), undefined, kim);
    await world.connections.put({ ...keyOf('kim'), providerId: 'provider://gone' }, undefined, kim);
    const states = async (wanted?: Parameters<typeof world.service.list>[0]) => {
      const found: string[] = [];
      for await (const { key, status } of world.service.list(wanted)) {
        const { subject } = key.owner as { subject: string };
        found.push(`${subject} ${key.providerId} ${status === undefined ? 'unknown' : status.state}`);
      }
      return found.sort();
    };
    expect(await states(({ owner }) => owner !== 'shared' && ['kim', 'mallory'].includes(owner.subject))).toEqual([
      'kim provider://files connected',
      'kim provider://gone unknown',
      'mallory provider://files unreadable',
    ]);
    expect(await states(({ zoneId }) => zoneId === 'other')).toEqual([]);
  });

  it('keeps no token, code or secret where it could be seen', async () => {
    await world.connect('judy');
    const token = await tokenFor('judy');
    const stored = await world.connections.get(keyOf('judy'));
    const secrets = [
      token,
      CLIENT_SECRET,
      ...world.upstream.tokenRequests.flatMap(({ parameters }) => [parameters.code, parameters.code_verifier]),
    ];
    const shown = [
      world.provider,
      world.service,
      world.links,
      world.options,
      stored,
      world.events,
      world.audit,
      world.connections,
    ]
      .map((each) => inspect(each, { depth: 20, showHidden: true }) + JSON.stringify(each))
      .join();
    for (const secret of secrets) expect(shown).not.toContain(String(secret));
  });
});

describe('evidence of connections', () => {
  const told = () =>
    world.audit.records.map(({ type, subject, initiator, reason }) => [type, subject, initiator, reason]);

  it('says who connected which account, replaced it and ended it, and holds no token', async () => {
    await world.connect('mia');
    const link = await world.links.uriFor(keyOf('mia'));
    const browser = new MiniBrowser();
    const decision = await browser.signIn(await browser.open(link), 'mia');
    await browser.signIn(await browser.submit(decision, { do: 'connect' }), 'mia-two@upstream');
    const token = await tokenFor('mia');
    const again = await browser.signIn(await browser.open(link), 'mia');
    await browser.submit(again, { do: 'disconnect' });
    expect(told()).toEqual([
      ['connection.made', 'mia', 'person', undefined],
      ['connection.made', 'mia', 'person', undefined],
      ['connection.ended', 'mia', 'person', 'replaced'],
      ['connection.ended', 'mia', 'person', 'disconnected'],
      ['connection.revoked', 'mia', 'gateway', undefined],
    ]);
    const [first, second, replaced, ended] = world.audit.records;
    expect(first).toMatchObject({
      ...{ zoneId: 'default', issuer: world.signIn.issuer, gatewayId: 'test-gateway', decision: 'allowed' },
      ...{ applicationId: 'agent', peer: '127.0.0.1', scopes: ['openid', 'offline_access'] },
      provider: { id: PROVIDER_ID, kind: 'oauth2_authorization_code', connection: expect.stringMatching(/^cn_/) },
    });
    expect(replaced?.provider?.connection).toBe(first?.provider?.connection);
    expect(ended?.provider?.connection).toBe(second?.provider?.connection);
    const text = JSON.stringify(world.audit.records);
    for (const secret of [token, CLIENT_SECRET]) expect(text).not.toContain(secret);
  });

  it('tells whom a link was for that somebody else opened, and counts what comes too often', async () => {
    const victim = new MiniBrowser();
    await victim.signIn(await victim.open(await world.connectUri('mallory')), 'victim');
    expect(told()).toEqual([['connection.denied', 'mallory', 'person', 'signed_in_as_another']]);
    expect(world.audit.records[0]).toMatchObject({ decision: 'denied', status: 403 });
    world.audit.records.length = 0;
    world.clock.advance(1_001);
    const link = await world.links.uriFor({
      ...keyOf('alice'),
      owner: { issuer: 'https://other.example', subject: 'x' },
    });
    for (let count = 0; count < 150; count++) await world.service.handler(new Request(link));
    await expect.poll(() => world.audit.records.length).toBe(101);
    expect(world.audit.records.at(-1)).toMatchObject({ type: 'connection.denied', count: 50 });
  });

  it('connects and invites nobody without a record, and gives back what the upstream has granted', async () => {
    const browser = new MiniBrowser();
    const decision = await browser.signIn(await browser.open(await world.connectUri('nora')), 'nora');
    const consent = await browser.submit(decision, { do: 'connect' });
    const before = world.upstream.revoked.length;
    world.audit.broken = true;
    const page = await browser.signIn(consent, 'nora@upstream');
    expect([page.status, page.text]).toEqual([503, expect.stringContaining('Nothing has been connected')]);
    expect(page.text).not.toContain('disk');
    await expect(world.service.invite(keyOf('nora'))).rejects.toThrow('audit_unavailable');
    expect(await world.connections.get(keyOf('nora'))).toBeUndefined();
    expect(await tokenFor('nora')).toBe('connection_required not_connected');
    expect(world.upstream.revoked.length).toBe(before + 1);
    expect(world.audit.faults.length).toBeGreaterThan(1);
  });

  it('ends a connection whose end cannot be recorded, says so, and counts the record', async () => {
    await world.connect('olga');
    world.audit.broken = true;
    expect(await world.service.disconnect(keyOf('olga'))).toMatchObject({ result: 'disconnected' });
    expect(await world.connections.get(keyOf('olga'))).toBeUndefined();
    await expect.poll(() => world.audit.faults.length).toBeGreaterThanOrEqual(2);
    world.audit.broken = false;
    world.audit.records.length = 0;
    await expect.poll(() => told()).toContainEqual(['records.omitted', undefined, undefined, 'no_room']);
  });
});
