export { type Application, type Attachment, attach, attachApplication } from './attach.js';
export { attachUpgrades, type UpgradeOptions } from './attach-upgrades.js';
export type { Drain } from './drain.js';
export { type NodeHandler, nodeHandler } from './handler.js';
export { LINGER_MAX_BYTES, LINGER_TIMEOUT_MS } from './lingering-close.js';
export { WRITE_OUT_TIMEOUT_MS } from './node-caller.js';
export {
  type CreateServerOptions,
  DEFAULT_HEADERS_TIMEOUT_MS,
  DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
  type HttpServerOptions,
  type NodeHandlerOptions,
} from './options.js';
export { admittedOf, type Protection, type ProtectOptions, protect } from './protect.js';
export { createServer, type GatewayServer, httpServerOptions } from './server.js';
export { MAX_FORWARDED_HOPS, peerReader, type ReadPeer } from './trusted-proxies.js';
export { MAX_PIPELINED_REQUESTS } from './turns.js';
