import { createServer } from 'node:http';
import type { Gateway } from '@caracal/core';
import { httpServerOptions, nodeHandler } from '@caracal/node';
import express from 'express';

/** An Express application that answers one path itself and hands everything else to the gateway. */
export function expressServer(gateway: Gateway) {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthy', (_req, res) => void res.send('healthy'));
  const caracal = nodeHandler(gateway);
  app.use(caracal); // ahead of body parsers
  const server = createServer(httpServerOptions());
  return Object.assign(server, caracal.attach(server, app)); // adds drain()
}
