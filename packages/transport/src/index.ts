export { MAX_RESPONSE_HEADER_BYTES } from './connection.js';
export { type DialListener, type DialTarget, dialTarget, guardedDial } from './guarded-dial.js';
export { AddressNotAllowedError } from './guarded-lookup.js';
export { type GuardedOutbound, type GuardedOutboundOptions, guardedOutbound } from './guarded-outbound.js';
export {
  DEFAULT_KEEP_ALIVE_MAX_TIMEOUT_MS,
  DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_POOLS,
  DEFAULT_MAX_WAITING,
  type TransportOptions,
} from './options.js';
export { OutboundError, type OutboundErrorReason } from './outbound-error.js';
export { MAX_EARLY_BYTES, SocketChannel } from './socket-channel.js';
export { undiciTransport } from './undici-transport.js';
export { webBodies } from './web-body.js';
