import type { WebSocketOffer } from '../head/websocket-offer.js';
import type { Limits } from '../resolve/resource.js';
import type { AddressPolicy } from './address-policy.js';

/** TLS towards the upstream; PEM texts. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
}

/** What is sent upstream: complete, and the transport adds nothing to it but framing and `Connection`. */
export interface Plan {
  readonly method: string;
  /** Scheme, host and port; from the resource alone. */
  readonly origin: string;
  /** Path and query, byte for byte. May hold a credential: goes to no log, metric, span or error. */
  readonly target: string;
  /** Flat name, value list, `Host` included; `Content-Length` included where framing is `length`. */
  readonly headers: readonly string[];
  readonly framing: 'none' | 'length' | 'chunked';
  readonly limits: Limits;
  readonly addressPolicy: AddressPolicy;
  readonly tls: TlsOptions | undefined;
  /** The caller asks for a WebSocket: the transport sends `Connection: Upgrade` and `Upgrade: websocket`. */
  readonly upgrade?: WebSocketOffer | undefined;
}
