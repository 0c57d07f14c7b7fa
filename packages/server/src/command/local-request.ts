import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import type { ListenerTlsConfiguration } from '../configuration/configuration.js';
import { originOf, parseListen } from '../configuration/listen.js';

/** A listener of ours, as the configuration has it. */
export interface LocalListener {
  readonly listen: string | number;
  readonly tls?: ListenerTlsConfiguration | undefined;
}

/** One request to it. */
export interface LocalRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What it answered. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Nothing listens there. */
export class NotListeningError extends Error {
  override readonly name = 'NotListeningError';
  readonly origin: string;

  constructor(origin: string, cause: unknown) {
    super(`nothing listens at ${origin}`, { cause });
    this.origin = origin;
  }
}

const TIMEOUT_MS = 30_000;
/** Largest answer that is read: what these commands ask for is far smaller. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const NOBODY_THERE: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT', 'EADDRNOTAVAIL']);
const EVERY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** The origin at which this machine reaches a listener; `undefined` where the system chooses its port. */
export function localOrigin({ listen, tls }: LocalListener): string | undefined {
  const address = parseListen(listen);
  if (address === undefined || (address.kind === 'tcp' && address.port === 0)) return undefined;
  const reachable = address.kind === 'tcp' ? { ...address, host: reachableHost(address.host) } : address;
  return originOf(reachable, tls !== undefined);
}

/**
 * Sends one request to a listener of the configuration, from this machine. With TLS the certificate has to be the very one
 * that the configuration names: names and authorities are not looked at, so it may be self-signed or for another host.
 *
 * @throws NotListeningError; what the system says of other failures
 */
export async function localRequest(listener: LocalListener, request: LocalRequest): Promise<LocalAnswer> {
  const address = parseListen(listener.listen);
  const origin = localOrigin(listener);
  if (address === undefined || origin === undefined) {
    throw new NotListeningError(String(listener.listen), new TypeError('the system chooses the port'));
  }
  const { method, path, body, headers = {} } = request;
  const options: RequestOptions = {
    method,
    path,
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) },
    agent: false,
    timeout: TIMEOUT_MS,
    ...(address.kind === 'unix'
      ? { socketPath: address.path }
      : { host: reachableHost(address.host), port: address.port }),
    ...(listener.tls === undefined ? {} : await pinned(listener.tls.cert)),
  };
  return exchange(listener.tls === undefined ? httpRequest : httpsRequest, options, body, origin);
}

function exchange(
  send: typeof httpRequest,
  options: RequestOptions,
  body: string | undefined,
  origin: string,
): Promise<LocalAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) =>
      reject(NOBODY_THERE.has(cause.code) ? new NotListeningError(origin, cause) : cause);
    const request = send(options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy(new RangeError(`the answer of ${origin} is too large`));
        chunks.push(chunk);
      });
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${origin} did not answer within ${TIMEOUT_MS / 1000} s`)));
    request.on('error', fail);
    request.end(body);
  });
}

async function pinned(certificateFile: string): Promise<object> {
  const pem = await readFile(certificateFile);
  const { fingerprint256 } = new X509Certificate(pem);
  return {
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host: string, { fingerprint256: presented }: PeerCertificate) =>
      presented === fingerprint256 ? undefined : new Error('another certificate than the configured one was presented'),
  };
}

function reachableHost(host: string): string {
  return EVERY_ADDRESS[host] ?? host;
}
