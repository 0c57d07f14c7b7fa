export { type FetchHandler, type FetchHandlerOptions, fetchHandler } from './fetch-handler.js';
export { type FetchTransportOptions, fetchTransport, judgeNoNames } from './fetch-transport.js';
export { type FetchProtection, type ProtectedHandler, type ProtectOptions, protect } from './protect.js';
export type { FetchInfo } from './request-head.js';
