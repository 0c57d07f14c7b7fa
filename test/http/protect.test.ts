import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AuditRecord,
  createGateway,
  type Gateway,
  type LimitsDefinition,
  memoryAuditSink,
  memoryRevocationStore,
  noCredential,
} from '@caracal/core';
import { denoProtect } from '@caracal/deno';
import { protect as protectRequests } from '@caracal/fetch';
import { protect as protectKoa } from '@caracal/koa';
import { admittedOf, attachApplication, httpServerOptions, protect } from '@caracal/node';
import { createTestIssuer, RawConnection, requestBytes } from '@caracal/testkit';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { expressService, fastifyService, honoService, koaService, nodeService } from '../../docs/examples/protect.js';

const RESOURCE = 'resource://notes';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function world(limits: LimitsDefinition = {}) {
  const issuer = await createTestIssuer();
  const audit = memoryAuditSink();
  const revocations = memoryRevocationStore();
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      { identifier: RESOURCE, provider: noCredential('provider://none'), scopes: ['notes:read'], ...limits },
      { identifier: 'resource://other', provider: noCredential('provider://none') },
    ],
    revocations,
    audit: { sink: audit },
    onFault: () => {},
  });
  closing.push(() => gateway.close({ drainTimeoutMs: 0 }));
  const mint = (claims = {}) => issuer.mint({ target: [RESOURCE], scope: 'notes:read', sub: 'ada', ...claims });
  const revoke = () => revocations.revoke({ zoneId: 'default', issuer: issuer.issuer, kind: 'sid', id: 'sid-1' });
  /** The last record, once there is one of this type. */
  async function record(type: AuditRecord['type']): Promise<AuditRecord> {
    for (;;) {
      const found = audit.records().findLast((each) => each.type === type);
      if (found !== undefined) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { gateway, audit, mint, revoke, record };
}

async function connect(server: Server): Promise<RawConnection> {
  if (!server.listening) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.unshift(() => {
      server.close();
      server.closeAllConnections();
    });
  }
  const connection = await RawConnection.open((server.address() as AddressInfo).port);
  closing.unshift(() => connection.destroy());
  return connection;
}

function headerOf(response: { readonly headers: readonly (readonly [string, string])[] }, name: string) {
  return response.headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

describe.each([
  ['node:http', nodeService],
  ['Express', expressService],
  ['Koa', koaService],
  ['Fastify', fastifyService],
  ['fetch under Hono', honoService],
] as const)('protect under %s', (_, service: (gateway: Gateway) => Server | Promise<Server>) => {
  it('hands the principal to the handler, and leaves the evidence of a forwarded request', async () => {
    const { gateway, mint, record } = await world();
    const connection = await connect(await service(gateway));
    void connection.send(requestBytes({ mandate: await mint(), target: '/n?secret=1' }));
    const response = await connection.response();
    expect(response.body.toString()).toBe('hello ada');
    const completed = await record('request.completed');
    const authorized = await record('request.authorized');
    expect(headerOf(response, 'x-caracal-request-id')).toBe(completed.requestId);
    expect(Number(headerOf(response, 'x-caracal-token-expires-in'))).toBeGreaterThan(200);
    expect(headerOf(response, 'vary')).toContain('X-Caracal-Resource');
    expect(completed).toMatchObject({ outcome: 'executed', status: 200, responseBytes: 9, attempts: 0 });
    expect(authorized).toMatchObject({ resource: RESOURCE, subject: 'ada', path: '/n', decision: 'allowed' });
    expect(gateway.liveExchanges).toBe(0);
  });

  it('refuses like the gateway, and the handler never runs', async () => {
    const { gateway, mint, record } = await world();
    const server = await service(gateway);
    const named = (resource: string) => [['X-Caracal-Resource', resource]] as const;
    for (const [parts, status, error] of [
      [{ mandate: null }, 401, 'missing_token'],
      [{ mandate: await mint({ target: ['resource://other'] }) }, 403, 'resource_not_permitted'],
      [{ mandate: await mint({ scope: '' }) }, 403, 'insufficient_scope'],
      [
        { mandate: await mint({ target: ['resource://other'] }), headers: named('resource://other') },
        400,
        'invalid_request',
      ],
      [{ mandate: await mint(), method: 'POST', body: 'x', headers: named('') }, 400, 'invalid_request'],
    ] as const) {
      const connection = await connect(server);
      void connection.send(requestBytes(parts));
      const response = await connection.response();
      expect([response.status, headerOf(response, 'x-caracal-error')]).toEqual([status, error]);
      expect(response.body.toString()).not.toContain('hello');
      expect(await record('request.denied')).toMatchObject({ error, status, decision: 'denied' });
    }
    // The resource may be named, as long as it is this one.
    const connection = await connect(server);
    void connection.send(requestBytes({ mandate: await mint(), headers: named(RESOURCE) }));
    expect((await connection.response()).status).toBe(200);
  });
});

/** Services that answer as a case needs it: by `node:http`, Koa, a `Request` handler under Hono's server. */
const STREAMING = [
  [
    'node:http',
    (gateway: Gateway, handle: Handle) => {
      const guard = protect(gateway, { resource: RESOURCE });
      const server = createServer(httpServerOptions());
      attachApplication(server, gateway, (req, res) =>
        guard(req, res, () =>
          handle({
            signal: admittedOf(req).signal,
            head: (type) => void res.writeHead(200, { 'Content-Type': type }),
            write: (text) => void res.write(text),
            end: () => void res.end(),
            read: async () => {
              let bytes = 0;
              for await (const chunk of req) bytes += (chunk as Buffer).length;
              return bytes;
            },
          }),
        ),
      );
      return server;
    },
  ],
  [
    'Koa',
    (gateway: Gateway, handle: Handle) => {
      const app = new Koa();
      app.silent = true;
      app.use(protectKoa(gateway, { resource: RESOURCE }));
      app.use(async (ctx) => {
        ctx.respond = false;
        handle({
          signal: ctx.state.caracal.signal,
          head: (type) => void ctx.res.writeHead(200, ['Content-Type', type]),
          write: (text) => void ctx.res.write(text),
          end: () => void ctx.res.end(),
          read: async () => {
            let bytes = 0;
            for await (const chunk of ctx.req) bytes += (chunk as Buffer).length;
            return bytes;
          },
        });
      });
      return createServer(httpServerOptions(), app.callback());
    },
  ],
  [
    'fetch',
    (gateway: Gateway, handle: Handle) => {
      const guard = protectRequests(gateway, { resource: RESOURCE });
      return createServer(
        httpServerOptions(),
        getRequestListener((request) => guard(request, (counted, { signal }) => webAnswer(counted, signal, handle))),
      );
    },
  ],
  [
    'Deno.serve',
    (gateway: Gateway, handle: Handle) => {
      const handler = denoProtect(gateway, { resource: RESOURCE }, (counted, { signal }) =>
        webAnswer(counted, signal, handle),
      );
      // Under Hono's server: what Deno.serve hands over is a web `Request` as well.
      const info = { remoteAddr: { hostname: '127.0.0.1' } };
      return createServer(
        httpServerOptions(),
        getRequestListener((request) => handler(request, info)),
      );
    },
  ],
] as const;

interface Answering {
  readonly signal: AbortSignal;
  head(contentType: string): void;
  write(text: string): void;
  end(): void;
  /** Bytes of the request's body. */
  read(): Promise<number>;
}
type Handle = (answering: Answering) => void;

function webAnswer(request: Request, signal: AbortSignal, handle: Handle): Promise<Response> {
  return new Promise((resolve) => {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
    });
    handle({
      signal,
      head: (type) => resolve(new Response(body, { headers: { 'content-type': type } })),
      write: (text) => controller.enqueue(new TextEncoder().encode(text)),
      end: () => controller.close(),
      read: async () => (await request.arrayBuffer()).byteLength,
    });
  });
}

describe.each(STREAMING)('an answer that takes time, under %s', (_, service) => {
  it('is cut when the session is revoked, counted to the byte, and the signal aborts', async () => {
    const { gateway, mint, revoke, record } = await world();
    const reasons: unknown[] = [];
    const server = service(gateway, ({ signal, head, write, end }) => {
      head('text/plain');
      write('12345');
      signal.addEventListener('abort', () => {
        reasons.push(signal.reason);
        end(); // in vain: what was cut does not end cleanly
      });
    });
    const connection = await connect(server);
    void connection.send(requestBytes({ mandate: await mint({ sid: 'sid-1' }) }));
    const head = await connection.head();
    const body = connection.body(head);
    expect((await body.next())?.toString()).toBe('12345');
    await revoke();
    expect((await body.rest()).length).toBe(0);
    expect(body.complete).toBe(false);
    expect(reasons).toEqual(['revoked']);
    expect(await record('request.completed')).toMatchObject({
      outcome: 'revoked_mid_stream',
      status: 200,
      responseBytes: 5,
    });
    expect(gateway.liveExchanges).toBe(0);
  });

  it('becomes the refusal where it has not begun, and what the handler does later comes to nothing', async () => {
    const { gateway, mint, revoke, record } = await world();
    let late = (): void => {};
    const begun = new Promise<void>((resolve) => {
      late = resolve;
    });
    let finish = (): void => {};
    const server = service(gateway, ({ head, write, end }) => {
      finish = () => {
        head('text/plain');
        write('too late');
        end();
      };
      late();
    });
    const connection = await connect(server);
    void connection.send(requestBytes({ mandate: await mint({ sid: 'sid-1' }) }));
    await begun;
    await revoke();
    const response = await connection.response();
    expect([response.status, headerOf(response, 'x-caracal-error')]).toEqual([401, 'session_revoked']);
    finish();
    expect(await record('request.completed')).toMatchObject({
      outcome: 'revoked_mid_stream',
      status: 401,
      error: 'session_revoked',
      responseBytes: 0,
    });
  });

  it('is cut at exp where it is an event stream', async () => {
    const { gateway, mint, record } = await world();
    const server = service(gateway, ({ head, write }) => {
      head('text/event-stream');
      write('data: 1\n\n');
    });
    const connection = await connect(server);
    const exp = Math.floor(Date.now() / 1000) + 2;
    void connection.send(requestBytes({ mandate: await mint({ exp }) }));
    const body = connection.body(await connection.head());
    await body.next();
    expect((await body.rest()).length).toBe(0);
    expect(body.complete).toBe(false);
    expect(await record('request.completed')).toMatchObject({ outcome: 'expired_mid_stream' });
  });

  it('is settled once where the caller goes away', async () => {
    const { gateway, mint, audit, record } = await world();
    const server = service(gateway, ({ head, write }) => {
      head('text/plain');
      write('12345');
    });
    const connection = await connect(server);
    void connection.send(requestBytes({ mandate: await mint() }));
    await connection.body(await connection.head()).next();
    connection.destroy();
    expect(await record('request.completed')).toMatchObject({ outcome: 'client_aborted', responseBytes: 5 });
    expect(audit.records().filter(({ type }) => type === 'request.completed')).toHaveLength(1);
  });

  it('counts the body of the request, and answers 413 to one that grows too large', async () => {
    const { gateway, mint, audit, record } = await world({ maxBodyBytes: 10 });
    const server = service(gateway, ({ head, write, end, read }) => {
      read().then(
        (bytes) => {
          head('text/plain');
          write(String(bytes));
          end();
        },
        () => {}, // the body was cut off
      );
    });
    const small = await connect(server);
    void small.send(requestBytes({ mandate: await mint(), method: 'POST', chunks: ['12345', '67'] }));
    expect((await small.response()).body.toString()).toBe('7');
    expect(await record('request.completed')).toMatchObject({ requestBytes: 7, outcome: 'executed' });
    const large = await connect(server);
    void large.send(requestBytes({ mandate: await mint(), method: 'POST', chunks: ['12345', '67890', '1'] }));
    const response = await large.response();
    expect([response.status, headerOf(response, 'x-caracal-error')]).toEqual([413, 'payload_too_large']);
    expect(audit.records().at(-1)).toMatchObject({ outcome: 'refused', error: 'payload_too_large', status: 413 });
  });
});

it('protect names a wrong option, and a request that has not passed it', async () => {
  const { gateway } = await world();
  expect(() => protect(gateway, { resource: 1 as never })).toThrow(TypeError);
  expect(() => protectKoa(gateway, { resource: RESOURCE, extra: 1 } as never)).toThrow('extra');
  expect(() => protectRequests(gateway, { resource: RESOURCE, extra: 1 } as never)).toThrow('extra');
  expect(() => admittedOf({} as never)).toThrow('protect()');
});

it('under Express below a path, the rest of the path is what operations see', async () => {
  const { gateway, mint, record } = await world();
  const app = express();
  app.use('/notes', protect(gateway, { resource: RESOURCE }), (_req, res) => void res.send('ok'));
  const connection = await connect(createServer(httpServerOptions(), app));
  void connection.send(requestBytes({ mandate: await mint(), target: '/notes/1' }));
  expect((await connection.response()).status).toBe(200);
  expect(await record('request.authorized')).toMatchObject({ path: '/1' });
});
