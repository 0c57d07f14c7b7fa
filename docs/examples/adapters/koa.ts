import { createServer } from 'node:http';
import type { Gateway } from '@caracal/core';
import { koaGateway } from '@caracal/koa';
import { httpServerOptions } from '@caracal/node';
import Koa from 'koa';

/** A Koa application that answers one path itself and hands everything else to the gateway. */
export function koaServer(gateway: Gateway) {
  const app = new Koa();
  app.use(async (ctx, next) => {
    if (ctx.path === '/healthy') ctx.body = 'healthy';
    else await next();
  });
  const caracal = koaGateway(gateway);
  app.use(caracal);
  const server = createServer(httpServerOptions());
  return Object.assign(server, caracal.attach(server, app)); // adds drain()
}
