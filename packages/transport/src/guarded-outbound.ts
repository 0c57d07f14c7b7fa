import { Readable } from 'node:stream';
import type { Limits, Outbound, OutboundAnswer, OutboundRequest, Plan, TlsOptions, Transport } from '@caracal/core';
import type { TransportOptions } from './options.js';
import { OutboundError } from './outbound-error.js';
import { undiciTransport } from './undici-transport.js';

/** Options of {@link guardedOutbound}: the transport's, and how TLS is verified. */
export interface GuardedOutboundOptions extends TransportOptions {
  /** For every host fetched from, such as a private authority. Default: the runtime's authorities. */
  readonly tls?: TlsOptions;
}

/** An {@link Outbound} with connections to close. */
export interface GuardedOutbound extends Outbound {
  /** Closes every connection; what is under way fails. Idempotent. */
  close(): Promise<void>;
}

/**
 * Fetches small documents through the same guarded dial as calls upstream, over connections of its own. No redirect is
 * followed: a 3xx is an answer like any other. Identity encoding is asked for, and required.
 *
 * `fetch` rejects with {@link OutboundError}.
 *
 * @throws TypeError like `undiciTransport`
 */
export function guardedOutbound(options: GuardedOutboundOptions = {}): GuardedOutbound {
  const { tls, ...transportOptions } = options;
  const transport = undiciTransport(transportOptions);
  return {
    fetch: async (request) => fetchDocument(transport, request, planOf(request, tls)),
    close: () => transport.close(),
  };
}

function fetchDocument(transport: Transport<Readable>, request: OutboundRequest, plan: Plan): Promise<OutboundAnswer> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let headers: readonly string[] = [];
    const chunks: Uint8Array[] = [];
    let size = 0;

    const giveUp = (error: OutboundError): void => {
      clearTimeout(deadline);
      attempt.abort();
      reject(error);
    };
    const body = plan.framing === 'length' ? Readable.from([Buffer.from(request.body!)]) : null;
    const attempt = transport.dispatch(plan, body, {
      onStart() {},
      onBodyBytes() {},
      onSent() {},
      onInterim() {},
      onHead(finalStatus, finalHeaders) {
        status = finalStatus;
        headers = finalHeaders;
        if (isEncoded(finalHeaders)) giveUp(new OutboundError('encoded'));
      },
      onSwitch(_headers, upstream) {
        // Nobody asked for it: such a plan has no `upgrade`.
        upstream.destroy();
        giveUp(new OutboundError('invalid'));
      },
      onChunk(chunk) {
        size += chunk.byteLength;
        if (size > request.maxBytes) giveUp(new OutboundError('too_large'));
        else chunks.push(chunk);
        return true;
      },
      onEnd() {
        clearTimeout(deadline);
        resolve({ status, headers, body: Buffer.concat(chunks, size) });
      },
      onFailure({ kind, cause }) {
        // The body is ours and complete: if the connection says otherwise, it was the connection.
        giveUp(new OutboundError(kind === 'body' ? 'closed' : kind, { cause }));
      },
    });
    const deadline = setTimeout(() => giveUp(new OutboundError('timeout')), request.timeoutMs);
  });
}

function planOf(request: OutboundRequest, tls: TlsOptions | undefined): Plan {
  const { url, body, timeoutMs, maxBytes } = request;
  if (!(timeoutMs > 0) || !(maxBytes >= 0)) throw new OutboundError('request', { cause: new TypeError('no limits') });
  if (!URL.canParse(url)) throw new OutboundError('request', { cause: new TypeError('the URL is not valid') });
  const { protocol, origin, host, pathname, search, username, password } = new URL(url);
  if ((protocol !== 'https:' && protocol !== 'http:') || username !== '' || password !== '') {
    throw new OutboundError('request', { cause: new TypeError('the URL must be http or https, without userinfo') });
  }
  const payload = body === undefined || body === '' ? 0 : Buffer.byteLength(body);
  const headers = ['Host', host, 'Accept-Encoding', 'identity'];
  if (payload > 0) headers.push('Content-Length', String(payload));
  appendOthers(headers, request.headers);
  return {
    method: request.method,
    origin,
    target: pathname + search,
    headers,
    framing: payload > 0 ? 'length' : 'none',
    limits: limitsOf(timeoutMs, maxBytes),
    addressPolicy: request.addressPolicy,
    tls,
  };
}

const OURS: ReadonlySet<string> = new Set(['host', 'accept-encoding', 'content-length', 'transfer-encoding', 'expect']);

function appendOthers(headers: string[], given: readonly string[]): void {
  for (let i = 0; i + 1 < given.length; i += 2) {
    if (!OURS.has(given[i]!.toLowerCase())) headers.push(given[i]!, given[i + 1]!);
  }
}

// One deadline covers everything, so that only the connecting has to be told the transport.
function limitsOf(timeoutMs: number, maxBytes: number): Limits {
  return {
    connectTimeoutMs: timeoutMs,
    headersTimeoutMs: timeoutMs,
    idleTimeoutMs: timeoutMs,
    streamIdleTimeoutMs: timeoutMs,
    maxBodyBytes: maxBytes,
  };
}

function isEncoded(headers: readonly string[]): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === 'content-encoding' && headers[i + 1]!.toLowerCase() !== 'identity') return true;
  }
  return false;
}
