import type { IncomingMessage, ServerResponse } from 'node:http';

// What this adapter uses of Koa, by structure: any version whose context and application look so will do.

/** The context of one request. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The target as it came, whatever middleware makes of `url`. */
  readonly originalUrl: string;
  /** `false`: Koa writes no answer of its own. */
  respond?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: Koa's own type, which applications narrow.
  readonly state: any;
}

/** A middleware as `app.use` and routers take it. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;

/** An application. */
export interface KoaApplication {
  callback(): (req: IncomingMessage, res: ServerResponse) => unknown;
}
