import { requestBytes } from '@caracal/testkit';
import Koa from 'koa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { koaGateway } from './koa-gateway.js';
import { CASE, koaWorld, value } from './koa-world.fixture.js';

let world: Awaited<ReturnType<typeof koaWorld>>;
beforeEach(async () => {
  world = await koaWorld();
});
afterEach(() => world.close());

/** An application that hands everything to the gateway, behind `before`. */
function gatewayApp(...before: Koa.Middleware[]) {
  const app = new Koa();
  for (const middleware of before) app.use(middleware);
  const caracal = koaGateway(world.gateway);
  app.use(caracal);
  return { app, caracal };
}

describe('koaGateway among other middleware', () => {
  it('goes on with them when the answer is out, and then they see its status', async () => {
    const seen: unknown[] = [];
    const { app, caracal } = gatewayApp(
      async (ctx, next) => {
        await next();
        seen.push(['outer', ctx.status]);
      },
      async (ctx, next) => {
        await next();
        seen.push(['inner', ctx.res.writableFinished]);
      },
    );
    const { send, errors } = await world.serve(app, caracal);
    expect((await send()).body.toString()).toBe('upstream');
    // What follows on the connection was answered after all of them had ended.
    expect((await send()).status).toBe(200);
    expect(seen.slice(0, 2)).toEqual([
      ['inner', true],
      ['outer', 200],
    ]);
    expect(errors).toEqual([]);
  });

  it('is the last: what was mounted behind it never runs, whether it forwards or refuses', async () => {
    const { app, caracal } = gatewayApp();
    let ran = 0;
    app.use(() => {
      ran += 1;
    });
    const { send } = await world.serve(app, caracal);
    expect((await send()).status).toBe(200);
    expect((await send({ mandate: null })).status).toBe(401);
    expect(ran).toBe(0);
  });

  it('answers behind a router that took some paths for itself', async () => {
    const { app, caracal } = gatewayApp((ctx, next) => {
      if (ctx.path !== '/own') return next();
      ctx.body = 'own';
      return undefined;
    });
    const { send } = await world.serve(app, caracal);
    expect((await send({ target: '/own' })).body.toString()).toBe('own');
    expect((await send({ target: '/other?a=%20' })).body.toString()).toBe('upstream');
    expect(world.upstream.requests(CASE).map(({ target }) => target)).toEqual(['/other?a=%20']);
    expect(world.audit.records().filter(({ type }) => type === 'request.authorized')).toHaveLength(1);
  });

  it.each([
    ['with a length', 'Content-Length: 5\r\n\r\nhello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
    ['that ends with its connection', 'Connection: close\r\n\r\nhello'],
  ])('sends the upstream’s answer %s, and nothing of the answer that was prepared before', async (_, rest) => {
    world.upstream.answer(CASE, async (_request, reply) => {
      await reply.write(`HTTP/1.1 203 Fine\r\n${rest}`);
      if (rest.startsWith('Connection')) reply.end();
    });
    const { app, caracal } = gatewayApp(async (ctx, next) => {
      ctx.body = 'prepared, and much longer than what comes from the upstream'; // sets a length and a type
      ctx.status = 418;
      ctx.etag = 'prepared';
      if (ctx.path === '/chunks') ctx.set('Transfer-Encoding', 'chunked');
      ctx.set('X-Before', '1');
      await next();
      ctx.body = 'late';
    });
    const { send } = await world.serve(app, caracal);
    for (const target of ['/', '/chunks']) {
      const response = await send({ target });
      expect([response.status, response.body.toString(), value(response, 'x-before')]).toEqual([203, 'hello', '1']);
      expect([value(response, 'content-type'), value(response, 'etag')]).toEqual([undefined, undefined]);
    }
  });

  it('does not ask the gateway where the caller has gone meanwhile', async () => {
    let waiting = (): void => {};
    const began = new Promise<void>((resolve) => {
      waiting = resolve;
    });
    let passed = (): void => {};
    const ended = new Promise<void>((resolve) => {
      passed = resolve;
    });
    const { app, caracal } = gatewayApp(async (ctx, next) => {
      waiting();
      await new Promise((resolve) => ctx.res.once('close', resolve));
      await next();
      passed();
    });
    const { connection, errors } = await world.serve(app, caracal);
    void connection.send(requestBytes({ mandate: world.mandate, resource: 'resource://echo' }));
    await began;
    connection.destroy();
    await ended;
    expect(world.audit.records().map(({ type }) => type)).toEqual(['gateway.started']);
    expect(world.upstream.untagged).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe('errors, as Koa expects them', () => {
  it('one of middleware before the gateway is Koa’s to answer, and the application is told', async () => {
    const { app, caracal } = gatewayApp(() => {
      throw new Error('broken before');
    });
    const { send, errors } = await world.serve(app, caracal);
    const response = await send();
    expect([response.status, response.body.toString()]).toEqual([500, 'Internal Server Error']);
    expect(value(response, 'x-caracal-error')).toBeUndefined();
    expect(errors.map(({ message }) => message)).toEqual(['broken before']);
    expect(world.audit.records().map(({ type }) => type)).toEqual(['gateway.started']);
    expect(world.upstream.requests(CASE)).toEqual([]);
  });

  it('one after the gateway has answered is told, and changes nothing of the answer', async () => {
    const { app, caracal } = gatewayApp(async (_ctx, next) => {
      await next();
      throw new Error('broken after');
    });
    const { send, errors } = await world.serve(app, caracal);
    expect((await send()).body.toString()).toBe('upstream');
    // The same connection serves on.
    expect((await send()).body.toString()).toBe('upstream');
    expect(errors[0]?.message).toBe('broken after');
  });

  it('refusals, and upstreams that fail, are answers and no errors of the application', async () => {
    world.upstream.answer(CASE, (_request, reply) => reply.reset());
    const { app, caracal } = gatewayApp();
    const { send, errors } = await world.serve(app, caracal);
    expect(value(await send({ mandate: null }), 'x-caracal-error')).toBe('missing_token');
    expect(value(await send({ method: 'POST', body: 'x' }), 'x-caracal-error')).toBe('upstream_invalid');
    expect(errors).toEqual([]);
    expect(await world.record('request.completed')).toMatchObject({ error: 'upstream_invalid', status: 502 });
  });

  it('a caller that goes away in the middle is none either, and the chain goes on', async () => {
    let over = (): void => {};
    const ended = new Promise<void>((resolve) => {
      over = resolve;
    });
    world.upstream.answer(CASE, async (_request, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    });
    const { app, caracal } = gatewayApp(async (_ctx, next) => {
      await next();
      over();
    });
    const { connection, errors } = await world.serve(app, caracal);
    const headers = [['X-Case', CASE]] as const;
    void connection.send(requestBytes({ mandate: world.mandate, resource: 'resource://echo', headers }));
    await connection.body(await connection.head()).next();
    connection.destroy();
    await ended;
    expect(await world.record('request.completed')).toMatchObject({ outcome: 'client_aborted', responseBytes: 4 });
    expect(errors).toEqual([]);
  });
});

describe('a body that something before the gateway has read', () => {
  it.each([
    ['whole', async (ctx: Koa.Context) => void (await ctx.req.toArray())],
    ['in part', async (ctx: Koa.Context) => void (await new Promise((resolve) => ctx.req.once('data', resolve)))],
  ])('%s is refused clearly: 500, nothing goes upstream, and the operator is told what to mend', async (_, eat) => {
    const { app, caracal } = gatewayApp(async (ctx, next) => {
      await eat(ctx);
      await next();
    });
    const { send, errors } = await world.serve(app, caracal);
    const response = await send({ method: 'POST', body: 'a body of the caller' });
    expect([response.status, value(response, 'x-caracal-error')]).toEqual([500, 'internal_error']);
    expect(response.body.toString()).not.toContain('parser');
    expect(world.upstream.requests(CASE)).toEqual([]);
    expect(world.faults).toMatchObject([{ code: 'internal_error', reason: 'body_already_read' }]);
    expect((world.faults[0]!.cause as Error).message).toContain('mount body parsers behind it');
    expect(await world.record('request.completed')).toMatchObject({ outcome: 'refused', reason: 'body_already_read' });
    expect(errors).toEqual([]);
  });
});

it('an unknown option is named', () => {
  expect(() => koaGateway(world.gateway, { extra: 1 } as never)).toThrow('extra');
});
