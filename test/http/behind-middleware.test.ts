import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway, type Fault, memoryAuditSink, noCredential } from '@caracal/core';
import { koaGateway } from '@caracal/koa';
import { httpServerOptions, nodeHandler } from '@caracal/node';
import { createTestIssuer, RawConnection, type RecordingUpstream, requestBytes, startUpstream } from '@caracal/testkit';
import Router from '@koa/router';
import express from 'express';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';
import mount from 'koa-mount';
import { afterEach, describe, expect, it } from 'vitest';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function world() {
  const upstream: RecordingUpstream = await startUpstream();
  const issuer = await createTestIssuer();
  const audit = memoryAuditSink();
  const faults: Fault[] = [];
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      {
        identifier: 'resource://echo',
        upstreamUrl: `${upstream.origin}/base`,
        allowPrivateNetwork: true,
        provider: noCredential('provider://none'),
      },
    ],
    audit: { sink: audit },
    onFault: (fault) => faults.push(fault),
  });
  const mandate = await issuer.mint({ target: ['resource://echo'] });
  closing.push(() => upstream.close());

  /** Serves an application and sends it one request. */
  async function send(app: Koa, caracal: ReturnType<typeof koaGateway>, parts: Parameters<typeof requestBytes>[0]) {
    const server = createServer(httpServerOptions());
    const { drain } = caracal.attach(server, app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.unshift(() => drain({ timeoutMs: 100 }));
    const connection = await RawConnection.open((server.address() as AddressInfo).port);
    closing.unshift(async () => connection.destroy());
    void connection.send(
      requestBytes({
        mandate,
        resource: 'resource://echo',
        ...parts,
        headers: [['X-Case', 'case'], ...(parts.headers ?? [])],
      }),
    );
    return connection.response(parts.method);
  }
  return { upstream, audit, faults, gateway, mandate, send };
}

function value(response: { readonly headers: readonly (readonly [string, string])[] }, name: string) {
  return response.headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

describe('koaGateway', () => {
  it('stands behind a router and other middleware, whose headers go out and which see its status', async () => {
    const { gateway, send, upstream } = await world();
    const app = new Koa();
    const logged: number[] = [];
    app.use(async (ctx, next) => {
      ctx.set('X-Before', '1');
      await next();
      logged.push(ctx.status);
      ctx.set('X-Too-Late', '1');
    });
    const caracal = koaGateway(gateway);
    const router = new Router();
    router.all('/api/*path', caracal);
    router.get('/own', (ctx) => {
      ctx.body = 'own';
    });
    app.use(router.routes());
    const through = await send(app, caracal, { target: '/api/a%2Fb?c=%20' });
    expect(through.status).toBe(200);
    expect(value(through, 'x-before')).toBe('1');
    expect(upstream.requests('case').map(({ target }) => target)).toEqual(['/base/api/a%2Fb?c=%20']);
    expect(logged).toEqual([200]);
    expect((await send(app, caracal, { target: '/own' })).body.toString()).toBe('own');
  });

  it('answers 500 where a body parser has taken the body, sends nothing, and says what to mend', async () => {
    const { gateway, send, upstream, faults, audit } = await world();
    const app = new Koa();
    app.silent = true;
    app.use(bodyParser());
    const caracal = koaGateway(gateway);
    app.use(caracal);
    const headers = [['Content-Type', 'application/json']] as const;
    const response = await send(app, caracal, { method: 'POST', body: '{"a":1}', headers });
    expect([response.status, value(response, 'x-caracal-error')]).toEqual([500, 'internal_error']);
    expect(upstream.requests('case')).toEqual([]);
    expect(faults).toMatchObject([{ code: 'internal_error', reason: 'body_already_read' }]);
    expect(String((faults[0]!.cause as Error).message)).toContain('body parsers');
    const record = audit.records().find(({ type }) => type === 'request.completed');
    expect(record).toMatchObject({
      outcome: 'refused',
      error: 'internal_error',
      reason: 'body_already_read',
      status: 500,
    });
    // A request without a body passes a body parser untouched.
    expect((await send(app, caracal, {})).status).toBe(200);
  });

  it('forwards what is left below a koa-mount path, and redirects lead through it', async () => {
    const { gateway, send, upstream } = await world();
    upstream.answer('case', async (_, reply) => {
      await reply.write('HTTP/1.1 302 Found\r\nLocation: /base/next\r\nContent-Length: 0\r\n\r\n');
    });
    const caracal = koaGateway(gateway);
    const inner = new Koa();
    inner.use(caracal);
    const app = new Koa();
    app.use(mount('/gateway', inner));
    for (const target of ['/gateway/v1//a%2Fb;c?d=%2e', '/gateway', '/gateway/', '/gateway?x=1']) {
      const response = await send(app, caracal, { target });
      expect([target, response.status, value(response, 'location')]).toEqual([target, 302, '/gateway/next']);
    }
    expect(upstream.requests('case').map(({ target }) => target)).toEqual([
      '/base/v1//a%2Fb;c?d=%2e',
      '/base/',
      '/base/',
      '/base/?x=1',
    ]);
  });

  it('answers 500 where middleware has rewritten the target', async () => {
    const { gateway, send, upstream, faults } = await world();
    const app = new Koa();
    app.silent = true;
    app.use((ctx, next) => {
      ctx.path = '/other';
      return next();
    });
    const caracal = koaGateway(gateway);
    app.use(caracal);
    const response = await send(app, caracal, { target: '/asked' });
    expect([response.status, value(response, 'x-caracal-error')]).toEqual([500, 'internal_error']);
    expect(upstream.requests('case')).toEqual([]);
    expect(faults).toMatchObject([{ reason: 'target_rewritten' }]);
  });

  it('lets Koa answer for an error of other middleware, and asks for a body only when somebody reads it', async () => {
    const { gateway, send } = await world();
    const app = new Koa();
    app.silent = true;
    app.use(async (ctx, next) => {
      if (ctx.path === '/throws') ctx.throw(418, 'teapot');
      if (ctx.path !== '/own') return next();
      ctx.body = `${(await new Response(ctx.req as unknown as BodyInit).text()).length}`;
    });
    const caracal = koaGateway(gateway);
    app.use(caracal);
    const expects = [['Expect', '100-continue']] as const;
    expect(await send(app, caracal, { target: '/throws' })).toMatchObject({ status: 418 });
    const refused = await send(app, caracal, { method: 'POST', body: 'hello', headers: expects, mandate: null });
    expect([refused.status, refused.interim]).toEqual([401, []]);
    const own = await send(app, caracal, { method: 'POST', target: '/own', body: 'hello', headers: expects });
    expect([own.interim.map(({ status }) => status), own.body.toString()]).toEqual([[100], '5']);
  });

  it('drains: answers under way are finished, those of the application too', async () => {
    const { gateway } = await world();
    const app = new Koa();
    let release = (): void => {};
    const begun = new Promise<void>((begin) => {
      app.use(async (ctx) => {
        begin();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        ctx.body = 'own';
      });
    });
    const caracal = koaGateway(gateway);
    const server = createServer(httpServerOptions());
    const { drain } = caracal.attach(server, app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const connection = await RawConnection.open((server.address() as AddressInfo).port);
    void connection.send(requestBytes({}));
    await begun;
    const drained = drain({ timeoutMs: 5_000 });
    release();
    expect((await connection.response()).body.toString()).toBe('own');
    await drained;
  });
});

it('Express mounts the handler below a path, and a body parser before it is refused clearly', async () => {
  const { gateway, upstream, faults, mandate } = await world();
  const app = express();
  app.use('/parsed', express.json());
  const caracal = nodeHandler(gateway);
  app.use('/gateway', caracal);
  app.use(caracal);
  const server = createServer(httpServerOptions());
  const { drain } = caracal.attach(server, app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.unshift(() => drain({ timeoutMs: 100 }));
  const ask = async (parts: Parameters<typeof requestBytes>[0]) => {
    const connection = await RawConnection.open((server.address() as AddressInfo).port);
    closing.unshift(async () => connection.destroy());
    const headers = [
      ['X-Case', 'case'],
      ['Content-Type', 'application/json'],
    ] as const;
    void connection.send(requestBytes({ mandate, resource: 'resource://echo', headers, ...parts }));
    return connection.response();
  };
  for (const target of ['/gateway/v1//a%2Fb?c', '/gateway', '/gateway?x']) {
    expect((await ask({ target })).status).toBe(200);
  }
  expect(upstream.requests('case').map(({ target }) => target)).toEqual(['/base/v1//a%2Fb?c', '/base/', '/base/?x']);
  expect((await ask({ method: 'POST', target: '/parsed', body: '{}' })).status).toBe(500);
  expect(upstream.requests('case')).toHaveLength(3);
  expect(faults).toMatchObject([{ reason: 'body_already_read' }]);
});
