import { Denial, deny } from '../errors.js';
import type { Resource } from '../resolve/resource.js';
import { nominatedNames, withoutNominated } from './connection-options.js';
import { corsHeaders } from './cors.js';
import { holdsCredential } from './credential-needles.js';
import type { HeaderClassifier } from './header-classifier.js';
import type { ResponseRule } from './header-names.js';
import { callerLinks, type LinkBudget, MAX_LINKS } from './link.js';
import { type ReferenceBase, resolveReference } from './location.js';
import { declaredLength, type ResponseFraming, readFraming } from './response-framing.js';
import { withoutDomain } from './set-cookie.js';

/** What the headers are made from that the gateway sets on every answer. */
export interface OwnHeadersInput {
  readonly requestId: string;
  readonly tokenExpiresInSeconds: number;
  readonly corsOrigins: readonly string[];
  /** The request's `Origin`. */
  readonly origin: string | undefined;
}

/** What the caller's head is made from. */
export interface CallerHeadersInput extends OwnHeadersInput {
  readonly classifier: HeaderClassifier;
  readonly status: number;
  /** Flat name, value list of the upstream's answer, values latin1. */
  readonly headers: readonly string[];
  /** With an `upstream`, else a TypeError: there was nobody to answer. */
  readonly resource: Pick<Resource, 'upstream' | 'passCookies' | 'redirects'>;
  /** Path and query as sent upstream, but without an injected credential. */
  readonly target: string;
  /** Raw mount prefix that was removed from the path; empty where none was. */
  readonly mountPrefix: string;
  /** Scheme, host and port of `gateway.publicUrl`, where one is configured. */
  readonly publicUrl: string | undefined;
  /** Texts that must not come back, from `credentialNeedles`. */
  readonly needles: readonly string[];
}

/**
 * The header list for the caller: the upstream's without what is the gateway's to say or would lead around it, in order,
 * then what the gateway sets; of an interim response (1xx but 101) nothing is set. A redirect to a foreign origin is denied
 * where the resource blocks them (`redirect_not_allowed`).
 */
export function callerHeaders(input: CallerHeadersInput): string[] | Denial {
  const { classifier, headers: received, needles } = input;
  // One search over the whole head: nearly always it finds nothing, and no header is searched by itself.
  const suspicious = needles.length > 0 && holdsCredential(received.join('\n'), needles);
  const framing: ResponseFraming = { length: undefined, chunked: false };
  const links: LinkBudget = { left: MAX_LINKS };
  const headers: string[] = [];
  let nominated: Set<string> | undefined;
  let hasRequestId = false;
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i]!;
    const value = received[i + 1]!;
    const { response: rule } = classifier.classify(name);
    if (rule === 'connection') nominated = nominatedNames(value, nominated);
    if (rule === 'content-length' || rule === 'transfer-encoding') readFraming(framing, rule, value);
    const answer = rule === 'pass' ? value : callerValue(rule, value, input, links);
    if (answer instanceof Denial) return answer;
    if (answer === undefined) continue;
    if (suspicious && (holdsCredential(name, needles) || holdsCredential(value, needles))) continue;
    // Resolving a reference drops tabs and dot segments: what they kept apart may spell the credential now.
    if (answer !== value && holdsCredential(answer, needles)) continue;
    if (rule === 'request-id') hasRequestId = true;
    headers.push(name, answer);
  }
  const kept = nominated === undefined ? headers : withoutNominated(headers, nominated, classifier);
  // After what `Connection` nominates is gone, so that an upstream cannot nominate the length or these away.
  const length = declaredLength(framing, input.status);
  if (length !== undefined) kept.push('Content-Length', length);
  if (!isInterim(input.status)) setHeaders(kept, hasRequestId && nominated?.has('x-request-id') !== true, input);
  return kept;
}

function callerValue(
  rule: Exclude<ResponseRule, 'pass'>,
  value: string,
  input: CallerHeadersInput,
  links: LinkBudget,
): string | undefined | Denial {
  switch (rule) {
    case 'request-id':
      return value;
    case 'set-cookie':
      return input.resource.passCookies ? withoutDomain(value) : undefined;
    case 'link':
      return callerLinks(value, referenceBase(input), links);
    case 'location':
    case 'content-location':
      return callerLocation(rule, value, input);
    default:
      return undefined;
  }
}

function callerLocation(
  rule: 'location' | 'content-location',
  value: string,
  input: CallerHeadersInput,
): string | undefined | Denial {
  const reference = resolveReference(value, referenceBase(input));
  if (reference.kind === 'hidden') return undefined;
  if (reference.kind !== 'foreign' || input.resource.redirects === 'pass') return reference.value;
  return rule === 'location' && isRedirect(input.status) ? deny('redirect_not_allowed', 'foreign_origin') : undefined;
}

// 101 is the last HTTP answer of its connection.
function isInterim(status: number): boolean {
  return status < 200 && status !== 101;
}

// 304 is in the range and redirects nobody.
function isRedirect(status: number): boolean {
  return status >= 300 && status <= 399 && status !== 304;
}

function referenceBase({ resource, target, mountPrefix, publicUrl }: CallerHeadersInput): ReferenceBase {
  if (resource.upstream === undefined) throw new TypeError('callerHeaders: this resource has no upstream');
  return { upstream: resource.upstream, target, mountPrefix, publicUrl };
}

function setHeaders(headers: string[], hasRequestId: boolean, input: OwnHeadersInput): void {
  if (!hasRequestId) headers.push('X-Request-Id', input.requestId);
  headers.push(...ownHeaders(input));
}

/** What the gateway sets on every answer but its refusals. */
export function ownHeaders(input: OwnHeadersInput): string[] {
  const expiresIn = Math.max(0, Math.floor(input.tokenExpiresInSeconds));
  const headers = ['X-Caracal-Request-Id', input.requestId, 'X-Caracal-Token-Expires-In', String(expiresIn)];
  // What one mandate or resource was answered must not be served to another from a cache.
  headers.push('Vary', 'Authorization, X-Caracal-Resource');
  if (input.corsOrigins.length > 0) headers.push(...corsHeaders(input.corsOrigins, input.origin));
  return headers;
}
