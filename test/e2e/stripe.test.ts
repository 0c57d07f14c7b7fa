import { bearerToken, Secret } from '@caracal/core';
import Stripe from 'stripe';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.js';
import { expectOwnCredentialOnly, startStandIn } from './stand-in.js';

const KEY = 'sk_live_the_real_key';
const closing: (() => Promise<void>)[] = [];

async function setUp() {
  const upstream = await startStandIn((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
      res.setHeader('Content-Type', 'application/json').setHeader('Request-Id', 'req_1');
      if (req.method === 'GET')
        return res.end(JSON.stringify({ object: 'list', data: [], has_more: false, url: req.url }));
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      return res.end(
        JSON.stringify({
          id: 'cus_1',
          object: 'customer',
          name: form.get('name'),
          metadata: { tier: form.get('metadata[tier]') },
        }),
      );
    });
  });
  // This client cannot send a header of ours, so that the resource is found by its mount.
  const gateway = await startGateway(() => [
    {
      identifier: 'resource://stripe',
      upstreamUrl: `${upstream.url}/v1`,
      allowPrivateNetwork: true,
      mount: { pathPrefix: '/v1' },
      provider: bearerToken({ id: 'provider://stripe', secret: new Secret(KEY), origins: [upstream.url] }),
    },
  ]);
  closing.push(gateway.close, upstream.close);
  const mandate = await gateway.mint();
  const { hostname, port } = new URL(gateway.url);
  const stripe = new Stripe(mandate, {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  });
  return { stripe, upstream, mandate };
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('the official stripe client, with a mandate as its key', () => {
  it('writes with its own form encoding and idempotency key', async () => {
    const { stripe, upstream, mandate } = await setUp();
    const customer = await stripe.customers.create(
      { name: 'Ada', metadata: { tier: 'gold' } },
      { idempotencyKey: 'once' },
    );
    expect(customer).toMatchObject({ id: 'cus_1', name: 'Ada', metadata: { tier: 'gold' } });
    expect(upstream.seen[0]!.rawHeaders).toContain('once');
    expectOwnCredentialOnly(upstream, 'authorization', `Bearer ${KEY}`, mandate);
  });

  it('reads with brackets in the query, which reach the upstream as sent', async () => {
    const { stripe, upstream, mandate } = await setUp();
    await stripe.charges.list({ created: { gte: 1700000000 }, expand: ['data.customer'] });
    expect(decodeURIComponent(upstream.seen[0]!.url)).toBe(
      '/v1/charges?created[gte]=1700000000&expand[0]=data.customer',
    );
    expectOwnCredentialOnly(upstream, 'authorization', `Bearer ${KEY}`, mandate);
  });
});
