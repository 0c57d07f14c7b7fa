export { type KoaGateway, koaGateway } from './koa-gateway.js';
export type { KoaApplication, KoaContext, KoaMiddleware } from './koa-types.js';
export { protect } from './protect.js';
