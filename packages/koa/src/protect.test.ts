import Koa from 'koa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { koaWorld, value } from './koa-world.fixture.js';
import { protect } from './protect.js';

let world: Awaited<ReturnType<typeof koaWorld>>;
beforeEach(async () => {
  world = await koaWorld();
});
afterEach(() => world.close());

/** An application whose `handler` answers for the resource. */
function service(handler: Koa.Middleware, ...before: Koa.Middleware[]) {
  const app = new Koa();
  for (const middleware of before) app.use(middleware);
  app.use(protect(world.gateway, { resource: 'resource://notes' }));
  app.use(handler);
  return app;
}
const NOTES = { resource: 'resource://notes' };

describe('protect in Koa', () => {
  it('hands over who was admitted, and leaves the answer to Koa', async () => {
    const { send, errors } = await world.serve(
      service((ctx) => {
        ctx.body = { subject: ctx.state.caracal.principal.subject };
      }),
    );
    const response = await send(NOTES);
    expect([response.status, JSON.parse(response.body.toString())]).toEqual([200, { subject: 'ada' }]);
    expect(value(response, 'content-type')).toContain('application/json');
    expect(await world.record('request.completed')).toMatchObject({
      requestId: value(response, 'x-caracal-request-id'),
      outcome: 'executed',
      status: 200,
      responseBytes: response.body.length,
    });
    expect(errors).toEqual([]);
  });

  it('answers what is refused by itself: nothing behind it runs, Koa writes nothing, and there is no error', async () => {
    let ran = 0;
    const after: number[] = [];
    const { send, errors } = await world.serve(
      service(
        () => {
          ran += 1;
        },
        async (ctx, next) => {
          ctx.body = 'prepared';
          await next();
          after.push(ctx.status);
        },
      ),
    );
    const response = await send({ ...NOTES, mandate: null });
    expect([response.status, value(response, 'x-caracal-error')]).toEqual([401, 'missing_token']);
    expect(JSON.parse(response.body.toString()).error).toBe('missing_token');
    expect((await send({ ...NOTES, mandate: null })).status).toBe(401);
    expect(ran).toBe(0);
    expect(after[0]).toBe(401);
    expect(await world.record('request.denied')).toMatchObject({ error: 'missing_token' });
    expect(errors).toEqual([]);
  });

  it('an error of the handler is Koa’s to answer, is told to the application, and is in the record', async () => {
    const { send, errors } = await world.serve(
      service(() => {
        throw new Error('broken inside');
      }),
    );
    const response = await send(NOTES);
    expect([response.status, response.body.toString()]).toEqual([500, 'Internal Server Error']);
    expect(errors.map(({ message }) => message)).toEqual(['broken inside']);
    expect(await world.record('request.completed')).toMatchObject({ status: 500, outcome: 'executed' });
  });

  it('ctx.throw and a handler that answers nothing mean what they mean in Koa', async () => {
    const { send, errors } = await world.serve(
      service((ctx) => {
        if (ctx.path === '/teapot') ctx.throw(418, 'a teapot');
      }),
    );
    const teapot = await send({ ...NOTES, target: '/teapot' });
    expect([teapot.status, teapot.body.toString()]).toEqual([418, 'a teapot']);
    const nothing = await send({ ...NOTES, target: '/nothing' });
    expect([nothing.status, nothing.body.toString()]).toEqual([404, 'Not Found']);
    expect(world.audit.records().flatMap(({ status }) => status ?? [])).toEqual([418, 404]);
    // As always, Koa tells of what it exposes only where the application asks.
    expect(errors.map(({ message }) => message)).toEqual(['a teapot']);
  });

  it('counts a body that a parser behind it reads', async () => {
    const { send } = await world.serve(
      service(async (ctx) => {
        ctx.body = String(Buffer.concat(await ctx.req.toArray()).length);
      }),
    );
    expect((await send({ ...NOTES, method: 'POST', body: 'hello' })).body.toString()).toBe('5');
    expect(await world.record('request.completed')).toMatchObject({ requestBytes: 5, status: 200 });
  });
});
