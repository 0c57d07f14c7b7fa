import { createServer } from 'node:http';
import type { Gateway } from '@caracal/core';
import { protect as protectRequests } from '@caracal/fetch';
import { protect as protectKoa } from '@caracal/koa';
import { admittedOf, httpServerOptions, protect } from '@caracal/node';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';

const resource = 'resource://notes';

export function nodeService(gateway: Gateway) {
  const guard = protect(gateway, { resource });
  return createServer(httpServerOptions(), (req, res) => {
    guard(req, res, () => {
      const { principal } = admittedOf(req);
      res.end(`hello ${principal.subject}`);
    });
  });
}

export function expressService(gateway: Gateway) {
  const app = express();
  app.use(protect(gateway, { resource }));
  app.use((req, res) => void res.send(`hello ${admittedOf(req).principal.subject}`));
  return createServer(httpServerOptions(), app);
}

export function koaService(gateway: Gateway) {
  const app = new Koa();
  app.use(protectKoa(gateway, { resource }));
  app.use((ctx) => {
    ctx.body = `hello ${ctx.state.caracal.principal.subject}`;
  });
  return createServer(httpServerOptions(), app.callback());
}

export async function fastifyService(gateway: Gateway) {
  const app = Fastify();
  const guard = protect(gateway, { resource });
  app.addHook('onRequest', (request, reply, done) => guard(request.raw, reply.raw, done));
  app.all('/*', async (request) => `hello ${admittedOf(request.raw).principal.subject}`);
  await app.ready();
  return app.server;
}

export function honoService(gateway: Gateway) {
  const guard = protectRequests(gateway, { resource });
  const app = new Hono();
  app.all('*', (c) => guard(c.req.raw, (_request, { principal }) => c.text(`hello ${principal.subject}`)));
  return createServer(httpServerOptions(), getRequestListener(app.fetch));
}
