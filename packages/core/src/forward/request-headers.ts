import type { Credential } from '../attach/provider.js';
import type { CheckedHead } from '../head/check-head.js';
import type { RequestHead } from '../head/head.js';
import type { Resource } from '../resolve/resource.js';
import { nominatedNames, withoutNominated } from './connection-options.js';
import { forwardedHeaders } from './forwarded.js';
import type { HeaderClassifier } from './header-classifier.js';

/** What the head of an upstream request is made from. */
export interface UpstreamHeadersInput {
  readonly classifier: HeaderClassifier;
  readonly head: Pick<RequestHead, 'headers'>;
  readonly request: Pick<CheckedHead, 'framing' | 'contentLength' | 'clientRequestId'>;
  /** With an `upstream`; without one there is no `Host` to send, which is a TypeError. */
  readonly resource: Pick<Resource, 'upstream' | 'provider' | 'passCookies' | 'forwarded'>;
  readonly credential: Pick<Credential, 'headers'>;
  readonly requestId: string;
  /** Flat name, value list. */
  readonly traceHeaders: readonly string[];
  /** Raw mount prefix that was removed from the path; empty where none was. */
  readonly mountPrefix: string;
  /** The client's address, behind trusted proxies the one they tell. */
  readonly peerAddress: string;
  /** Scheme, host and port of `gateway.publicUrl`, where one is configured. */
  readonly publicUrl: string | undefined;
  /** Pseudonym for `Via`. */
  readonly via: string;
}

/**
 * The header list to send upstream: what the caller sent without what is not its to say, in order, then what the
 * gateway sets. A chunked body gets no length: the transport frames it.
 * @see RFC 9110 section 7.6
 */
export function upstreamHeaders(input: UpstreamHeadersInput): string[] {
  const { classifier, resource } = input;
  if (resource.upstream === undefined) throw new TypeError('upstreamHeaders: this resource has no upstream');
  const headers: string[] = [];
  const replaced = replacedNames(input);
  const received = input.head.headers;
  let nominated: Set<string> | undefined;
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i]!;
    const { request: rule, folded } = classifier.classify(name);
    if (rule !== 'pass') {
      if (rule === 'connection') nominated = nominatedNames(received[i + 1]!, nominated);
      if (rule !== 'cookie' || !resource.passCookies) continue;
    }
    if (replaced.includes(folded)) continue;
    headers.push(name, received[i + 1]!);
  }
  const kept = nominated === undefined ? headers : withoutNominated(headers, nominated, classifier);
  // What is set comes after the filter, so that a caller cannot nominate the gateway's own headers away.
  return withOwnHeaders(kept, resource.upstream.host, input);
}

function withOwnHeaders(passed: readonly string[], host: string, input: UpstreamHeadersInput): string[] {
  const { request, resource } = input;
  const headers = ['Host', host, ...passed];
  if (request.framing === 'length' && request.contentLength !== undefined) {
    headers.push('Content-Length', String(request.contentLength));
  }
  headers.push('X-Request-Id', request.clientRequestId ?? input.requestId, ...input.traceHeaders);
  headers.push('Via', `1.1 ${input.via}`);
  if (resource.forwarded !== 'none') headers.push(...forwardedHeaders(resource.forwarded, input));
  headers.push(...input.credential.headers);
  return headers;
}

// The credential's own headers: by what the provider declares, and by what this credential really brings.
function replacedNames({ classifier, resource, credential }: UpstreamHeadersInput): string[] {
  const names: string[] = [];
  for (const name of resource.provider.headerNames) names.push(classifier.classify(name).folded);
  for (let i = 0; i < credential.headers.length; i += 2) names.push(classifier.classify(credential.headers[i]!).folded);
  return names;
}
