import type { Gateway } from '@caracal/core';
import { admittedOf, type ProtectOptions, protect as protectNode } from '@caracal/node';
import type { KoaMiddleware } from './koa-types.js';
import { keepOriginalUrl } from './original-url.js';

/**
 * Enforces inside a Koa application: what comes after this middleware runs for admitted requests only, and finds who was
 * admitted in `ctx.state.caracal`. Everything else is as `protect` of `@caracal/node` says.
 * @throws TypeError that names an unknown or wrong option
 */
export function protect(gateway: Gateway, options: ProtectOptions): KoaMiddleware {
  const guard = protectNode(gateway, options);
  return (context, next) => {
    const { req, res } = context;
    context.respond = false;
    keepOriginalUrl(context);
    if (res.closed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      // Refused: the answer was written, and nobody calls `next`.
      const closed = () => resolve();
      res.once('close', closed);
      guard(req, res, () => {
        res.off('close', closed);
        context.respond = true;
        context.state.caracal = admittedOf(req);
        next().then(() => resolve(), reject);
      });
    });
  };
}
