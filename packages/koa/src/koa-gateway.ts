import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Gateway } from '@caracal/core';
import { type Attachment, type NodeHandlerOptions, nodeHandler } from '@caracal/node';
import type { KoaApplication, KoaContext, KoaMiddleware } from './koa-types.js';
import { keepOriginalUrl } from './original-url.js';

/** Middleware that hands requests to a gateway. */
export interface KoaGateway extends KoaMiddleware {
  /**
   * Makes a server serve the application: it answers what cannot be parsed as the gateway does, and holds `100 Continue`
   * back until somebody reads the body. Make the server with `httpServerOptions()` of `@caracal/node`, and give it no
   * listener of your own.
   */
  attach(server: Server, application: KoaApplication): Attachment;
  /** Closes the transport, unless it was handed in; `drain` of an attachment does too. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes the middleware: it forwards what the gateway admits and answers the rest, so it comes last. Its promise is held
 * until the response is closed; Koa writes nothing itself. Middleware before it may route, log and set headers.
 *
 * Where one has read the body, or changed the target other than by taking a prefix off (`koa-mount`), requests are
 * answered with 500 `internal_error`, nothing goes upstream, and the gateway's `onFault` is told what to mend.
 * @throws TypeError that names an unknown option
 */
export function koaGateway(gateway: Gateway, options: NodeHandlerOptions = {}): KoaGateway {
  const handler = nodeHandler(gateway, options);
  const middleware = (context: KoaContext): Promise<void> => {
    const { req, res } = context;
    context.respond = false;
    keepOriginalUrl(context);
    if (res.closed) return Promise.resolve();
    return new Promise((resolve) => {
      res.once('close', resolve);
      handler(req, res);
    });
  };
  return Object.assign(middleware, {
    attach: (server: Server, application: KoaApplication) => {
      const callback = application.callback();
      // Koa's promise never rejects: its own error handler has the last word.
      return handler.attach(server, (req: IncomingMessage, res: ServerResponse) => void callback(req, res));
    },
    close: () => handler.close(),
  });
}
