import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Provider, Secret } from '@caracal/core';
import { type ExchangedMandateOptions, exchangedMandate } from '@caracal/oauth';
import { Denied, type IssuedMandate } from '@caracal/sts';
import { type GuardedOutbound, guardedOutbound } from '@caracal/transport';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeWorld, RESOURCE } from '../gateway/fake-world.js';
import {
  GATEWAY_SECRET,
  OTHER_RESOURCE,
  type ServedTokenService,
  serveTokenService,
} from '../sts/served-token-service.js';
import { credentialRequest, tokenOf } from './requests.js';

let served: ServedTokenService;
let outbound: GuardedOutbound;

beforeAll(async () => {
  served = await serveTokenService();
  outbound = guardedOutbound();
});

afterAll(async () => {
  await outbound.close();
  await served.close();
});

const atEndpoint = (changes: Partial<ExchangedMandateOptions> = {}) =>
  exchangedMandate({
    id: 'provider://internal',
    application: 'gateway',
    tokenEndpoint: `${served.issuer}/oauth/2/token`,
    clientSecret: new Secret(GATEWAY_SECRET),
    allowPrivateNetwork: true,
    outbound,
    ...changes,
  });
const inProcess = () =>
  exchangedMandate({ id: 'provider://internal', application: 'gateway', tokenService: served.service, outbound });

async function issued(resource = RESOURCE): Promise<IssuedMandate> {
  const mandate = await served.service.issue({ applicationId: 'agent', resources: [resource] });
  if (mandate instanceof Denied) throw new Error(mandate.reason);
  return mandate;
}

/** A gateway that trusts the token service, in front of an upstream that keeps what it gets. */
const world = (provider: Provider, gatewayApplication = 'gateway') =>
  fakeWorld(
    { provider, gatewayApplication, upstreamUrl: 'http://127.0.0.1:9/base', allowPrivateNetwork: true },
    { issuers: [{ issuer: served.issuer, keySource: served.service.keySource }], revocations: served.revocations },
  );

const sentMandate = (plan: { readonly headers: readonly string[] } | undefined): string => {
  const at = plan?.headers.findIndex((name) => name.toLowerCase() === 'authorization') ?? -1;
  return plan?.headers[at + 1]?.replace('Bearer ', '') ?? '';
};

describe('exchangedMandate', () => {
  it.each([
    ['at the token endpoint', atEndpoint],
    ['in this process', inProcess],
  ])('attaches a mandate for the resource, exchanged %s, once for as long as it lives', async (_where, provider) => {
    const { mandate, claims } = await issued();
    const { head, send, transport } = await world(provider());
    const exchanges = (): number => served.audit.records().filter(({ requester }) => requester === 'gateway').length;
    const before = exchanges();
    for (let i = 0; i < 5; i++) expect((await send(head(mandate))).status).toBe(200);
    expect(exchanges() - before).toBe(1);
    const sent = sentMandate(transport.plans[0]);
    expect(sent).not.toBe(mandate);
    const exchanged = decodeJwt(sent);
    expect(exchanged).toMatchObject({
      aud: RESOURCE,
      use: 'resource',
      sub: 'agent',
      client_id: 'agent',
      act: { sub: 'gateway' },
      sid: claims.sid,
    });
    expect(exchanged.exp).toBeLessThanOrEqual(claims.exp);
  });

  it('hands on a mandate that was made for the resource', async () => {
    const presented = await issued();
    const made = await served.service.issue({
      applicationId: 'gateway',
      resources: [RESOURCE],
      subjectToken: presented.mandate,
    });
    if (made instanceof Denied) throw new Error(made.reason);
    const { head, send, transport } = await world(atEndpoint());
    expect((await send(head(made.mandate))).status).toBe(200);
    expect(sentMandate(transport.plans[0])).toBe(made.mandate);
  });

  it('keeps the mandates of two presented ones apart', async () => {
    const [one, two] = [await issued(), await issued()];
    const { head, send, transport } = await world(atEndpoint());
    for (const { mandate } of [one, two]) await send(head(mandate));
    const sids = transport.plans.map((plan) => decodeJwt(sentMandate(plan)).sid);
    expect(sids).toEqual([one.claims.sid, two.claims.sid]);
  });

  it('serves what was exchanged for one subject to no other, whatever ids their issuer gave', async () => {
    let subject = '';
    const provider = exchangedMandate({
      id: 'provider://internal',
      application: 'gateway',
      outbound,
      tokenService: {
        issue: async ({ resources: [aud] }) => {
          const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
          const exp = Math.floor(Date.now() / 1_000) + 200;
          return { mandate: `${part({ alg: 'ES256' })}.${part({ aud, sub: subject, exp })}.c2ln` };
        },
      },
    });
    const sent: string[] = [];
    for (subject of ['alice', 'bob'])
      sent.push(await tokenOf(provider.attach(credentialRequest(provider, { subject }))));
    expect(sent.map((token) => decodeJwt(token).sub)).toEqual(['alice', 'bob']);
  });

  it('refuses where the gateway is not the resource’s application, or its secret is wrong; nothing is sent', async () => {
    const { mandate } = await issued();
    for (const [provider, application, reason] of [
      [atEndpoint(), 'another', 'gateway_application_other'],
      [atEndpoint({ clientSecret: new Secret('wrong') }), 'gateway', 'token_endpoint_invalid_client'],
    ] as const) {
      const { head, send, transport, audit } = await world(provider, application);
      expect(await send(head(mandate))).toMatchObject({ status: 503, error: 'credential_unavailable' });
      expect(transport.plans).toEqual([]);
      expect(audit.records().at(-1)).toMatchObject({ error: 'credential_unavailable', reason });
    }
  });

  it('takes no answer that is not for this resource, of another subject, or lives longer', async () => {
    const { mandate, claims } = await issued();
    let body = {};
    const server = createServer((_request, response) =>
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body)),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const tokenEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const good = { aud: RESOURCE, sub: 'agent', exp: claims.exp };
    for (const [change, reason] of [
      [{ aud: OTHER_RESOURCE }, 'exchange_audience_other'],
      [{ aud: [RESOURCE, OTHER_RESOURCE] }, 'exchange_audience_other'],
      [{ sub: 'root' }, 'exchange_subject_other'],
      [{ exp: claims.exp + 1 }, 'exchange_outlives_mandate'],
      [{ exp: 'never' }, 'exchange_outlives_mandate'],
    ] as const) {
      body = { access_token: `${part({ alg: 'ES256' })}.${part({ ...good, ...change })}.c2ln`, token_type: 'Bearer' };
      const provider = atEndpoint({ tokenEndpoint });
      const { head, send, transport, audit } = await world(provider);
      expect((await send(head(mandate))).status).toBe(503);
      expect(audit.records().at(-1)).toMatchObject({ reason });
      expect(transport.plans).toEqual([]);
    }
    server.close();
  });

  it('tells whether the token service knows it', async () => {
    expect(await atEndpoint().probe('default')).toEqual({ ok: true });
    expect(await atEndpoint({ clientSecret: new Secret('wrong') }).probe('default')).toMatchObject({ ok: false });
  });

  it('is made with one place to exchange at', () => {
    expect(() => exchangedMandate({ id: 'p', application: 'gateway', outbound })).toThrow(
      'give tokenService or tokenEndpoint',
    );
  });
});
