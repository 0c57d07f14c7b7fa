import type { IncomingMessage } from 'node:http';
import type { KoaContext } from './koa-types.js';

/** Leaves the target as it came where the adapter for `node:http` looks for it; Koa keeps it on its context alone. */
export function keepOriginalUrl({ req, originalUrl }: KoaContext): void {
  (req as IncomingMessage & { originalUrl?: string }).originalUrl ??= originalUrl;
}
