import { lookup as systemLookup } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { AddressPolicy, TlsOptions } from '@caracal/core';
import { AddressNotAllowedError, guardedLookup } from './guarded-lookup.js';

// The runtime's own 250 ms gives up on every address but the last of an upstream on another continent.
const NEXT_ADDRESS_AFTER_MS = 500;
const TCP_KEEP_ALIVE_AFTER_MS = 60_000;

/** Where to dial and under which rules. Made once per pool by {@link dialTarget}. */
export interface DialTarget {
  readonly secure: boolean;
  /** Name or literal address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly addressPolicy: AddressPolicy;
  readonly serverName: string;
  readonly secureContext: SecureContext | undefined;
  readonly lookup: LookupFunction;
}

/** How a dial ends; one of the two is called once, and never before {@link guardedDial} has returned. */
export interface DialListener {
  /** Connected, and with TLS verified. The socket has an `error` listener already. */
  onSocket(socket: Socket): void;
  /** An {@link AddressNotAllowedError}, or whatever kept the connection from being made. */
  onDialError(error: Error): void;
}

/**
 * Prepares dialling an origin (`https://host:port`). `lookup` is always asked with `all: true`; default `dns.lookup`.
 *
 * @throws Error where the origin is no http or https origin, or the PEM texts are not usable.
 */
export function dialTarget(
  origin: string,
  addressPolicy: AddressPolicy,
  tls: TlsOptions | undefined,
  lookup: LookupFunction = systemLookup as LookupFunction,
): DialTarget {
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(origin);
  if ((protocol !== 'https:' && protocol !== 'http:') || `${username}${password}${pathname}${search}${hash}` !== '/') {
    throw new TypeError('an origin must be http or https, a host and perhaps a port, and nothing else');
  }
  const secure = protocol === 'https:';
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return Object.freeze({
    secure,
    host,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    addressPolicy,
    // RFC 6066 section 3 knows no addresses as server names; the certificate is then checked against the host itself.
    serverName: tls?.serverName ?? (isIP(host) === 0 ? host : ''),
    secureContext: secure ? secureContext(tls) : undefined,
    lookup: guardedLookup(lookup, addressPolicy),
  });
}

// `ca` replaces the built-in authorities: whoever names one means that one.
function secureContext(tls: TlsOptions | undefined): SecureContext {
  return createSecureContext({ ca: tls?.ca, cert: tls?.cert, key: tls?.key, minVersion: 'TLSv1.2' });
}

/**
 * Connects to an allowed address of the target, trying its addresses in turn (RFC 8305), with TLS always verified and
 * HTTP/1.1 the only protocol offered. It has no deadline of its own.
 *
 * @returns a function that gives the dial up and closes its socket; nothing is called after it. Idempotent.
 */
export function guardedDial(target: DialTarget, listener: DialListener): () => void {
  // `net.connect` calls no lookup for a literal, so that nothing but this line would judge it.
  if (isIP(target.host) !== 0 && !target.addressPolicy.allows(target.host)) {
    return failLater(listener, new AddressNotAllowedError());
  }

  let socket: Socket;
  try {
    socket = openSocket(target);
  } catch (error) {
    return failLater(listener, new Error('the connection could not be begun', { cause: error }));
  }
  let settled = false;
  const fail = (error: Error): void => {
    if (settled) return;
    settled = true;
    socket.destroy();
    listener.onDialError(error);
  };
  // Ahead of the listener that begins the TLS handshake: what is not allowed gets not even a ClientHello.
  socket.prependOnceListener('connect', () => {
    const address = socket.remoteAddress;
    if (address === undefined) fail(new Error('the connection was closed while it was made'));
    else if (!target.addressPolicy.allows(address)) fail(new AddressNotAllowedError());
  });
  socket.once(target.secure ? 'secureConnect' : 'connect', () => {
    if (settled) return;
    settled = true;
    listener.onSocket(socket);
  });
  // Stays on: between here and the HTTP client's own listener an error must not become an uncaught exception.
  socket.on('error', fail);
  socket.once('close', () => fail(new Error('the connection was closed while it was made')));
  return () => {
    if (settled) return;
    settled = true;
    socket.destroy();
  };
}

function openSocket(target: DialTarget): Socket {
  const options = {
    host: target.host,
    port: target.port,
    lookup: target.lookup,
    // Safe with a policy: its candidates are the lookup's answer, each of which was judged.
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_AFTER_MS,
  };
  if (!target.secure) return connectTcp(options);
  return connectTls({
    ...options,
    servername: target.serverName,
    secureContext: target.secureContext,
    ALPNProtocols: ['http/1.1'],
    // Said outright, because the default comes from the environment. No session is resumed either: each connection
    // verifies its certificate and its name anew.
    rejectUnauthorized: true,
  });
}

function failLater(listener: DialListener, error: Error): () => void {
  let cancelled = false;
  process.nextTick(() => {
    if (!cancelled) listener.onDialError(error);
  });
  return () => {
    cancelled = true;
  };
}
