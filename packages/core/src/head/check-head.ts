import { type Checked, learn, type Received } from '../admission.js';
import { failed } from '../ask.js';
import { Denial, deny } from '../errors.js';
import type { Stage } from '../pipeline.js';
import { isOperationMethod } from '../resolve/operations.js';
import type { ResourceDirectory } from '../resolve/resource-directory.js';
import { isResourceIdentifier } from '../resolve/resource-identifier.js';
import { isVisibleAscii } from '../syntax/header-syntax.js';
import { checkFraming } from './framing.js';
import type { RequestHead } from './head.js';
import { type FieldLimits, type HeadFields, readFields } from './head-fields.js';
import { isHost } from './host.js';
import { checkPath, checkQuery } from './target.js';

/** The parts of a head that the first checks have read and found in order. */
export interface CheckedHead {
  readonly method: string;
  /** Raw path, without query. */
  readonly path: string;
  /** Raw query with its `?`, or empty. */
  readonly query: string;
  /** Lower case, with port as received. */
  readonly host: string;
  /** Value of the one `Authorization` header. */
  readonly authorization: string | undefined;
  /** Value of the one `X-Caracal-Resource` header, its form checked. */
  readonly resource: string | undefined;
  /** The caller's `X-Request-Id` where it is 1 to 128 visible ASCII, else `undefined`. */
  readonly clientRequestId: string | undefined;
  readonly framing: 'none' | 'length' | 'chunked';
  /** Declared length in bytes where framing is `length`. */
  readonly contentLength: number | undefined;
  readonly expectsContinue: boolean;
  /** Protocols of `Upgrade`, lower case, where `Connection` names it; else `undefined`. */
  readonly upgrade: string | undefined;
  readonly origin: string | undefined;
  /** Method and headers a CORS preflight asks for (`OPTIONS` with `Origin` and `Access-Control-Request-Method`). */
  readonly preflight: { readonly method: string; readonly headers: string | undefined } | undefined;
}

/** How large a head may be. Held on every runtime, whatever the runtime's own limits are. */
export interface HeadLimits extends FieldLimits {
  /** Path and query together. */
  readonly maxTargetBytes: number;
}

/** 100 headers of 32 KiB together, a target of 8 KiB. */
export const DEFAULT_HEAD_LIMITS: HeadLimits = Object.freeze({
  maxHeaderCount: 100,
  maxHeaderBytes: 32 * 1024,
  maxTargetBytes: 8 * 1024,
});

/** Methods every resource may be asked with; others only where an operation names them. */
export const STANDARD_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);

const MAX_REQUEST_ID_LENGTH = 128;

/** What the first checks ask of a directory. */
type MethodDirectory = Pick<ResourceDirectory, 'namesMethod' | 'extraMethods'>;

/**
 * Rows 1 and 2 as a stage. The methods operations name are asked for each time: a directory may reload. Where it cannot say whether
 * one names this method, what is wrong with the rest of the head is told first; that the directory is away is our fault, after it.
 */
export function checkedHead(limits: HeadLimits, directory: MethodDirectory): Stage<Received, Checked> {
  return {
    rows: '1, 2',
    name: 'head',
    spends: false,
    run: (admission) => {
      const { head } = admission;
      const extra = directory.extraMethods();
      const named = mayBeNamed(head.method) ? isNamed(head.method, directory) : false;
      const request = checkHead(head, limits, named === false ? extra : new Set([...extra, head.method]));
      if (request instanceof Denial) return request;
      const checked = learn(admission, { request });
      return named instanceof Denial ? named : checked;
    },
  };
}

/** Neither a method that every resource may be asked with, nor one that none may. */
function mayBeNamed(method: string): boolean {
  return !STANDARD_METHODS.has(method) && isOperationMethod(method);
}

function isNamed(method: string, directory: MethodDirectory): boolean | Denial {
  try {
    return directory.namesMethod(method);
  } catch (cause) {
    return failed('directory_unavailable', cause);
  }
}

/**
 * Rows 1 and 2: the checks of a head that need no mandate. Never throws, whatever the strings.
 *
 * Denies with `invalid_request`; the reasons in `STATUS_OF_REASON` have a status of their own, all others are 400.
 * Framing is as the head tells it: an adapter of a runtime that frames bodies itself (HTTP/2, `Request`) puts in the
 * `Content-Length`, or the `Transfer-Encoding: chunked` of HTTP/1.1, that says the same.
 *
 * @param extraMethods Methods beyond the standard seven that an operation names.
 * @see RFC 9110, RFC 9112
 */
export function checkHead(
  head: RequestHead,
  limits: HeadLimits,
  extraMethods: ReadonlySet<string>,
): CheckedHead | Denial {
  const { method, target, httpVersion } = head;
  if (httpVersion !== '1.1' && httpVersion !== '2.0' && httpVersion !== '1.0') {
    return deny('invalid_request', 'http_version_unsupported');
  }
  if (!STANDARD_METHODS.has(method) && !extraMethods.has(method)) return methodNotAllowed(extraMethods);
  if (target.length > limits.maxTargetBytes) return deny('invalid_request', 'target_too_long');
  const queryStart = target.indexOf('?');
  const path = queryStart === -1 ? target : target.slice(0, queryStart);
  const query = queryStart === -1 ? '' : target.slice(queryStart);
  const targetReason = checkPath(path) ?? checkQuery(query);
  if (targetReason !== undefined) return deny('invalid_request', targetReason);

  const fields = readFields(head, limits);
  if (fields instanceof Denial) return fields;
  const reason = checkFields(fields, head);
  if (reason !== undefined) return deny('invalid_request', reason);

  const { contentLength, transferEncoding, requestId, origin } = fields;
  return {
    method,
    path,
    query,
    host: (fields.host as string).toLowerCase(),
    authorization: fields.authorization,
    resource: fields.resource,
    clientRequestId:
      requestId !== undefined && isVisibleAscii(requestId, MAX_REQUEST_ID_LENGTH) ? requestId : undefined,
    framing: transferEncoding !== undefined ? 'chunked' : contentLength !== undefined ? 'length' : 'none',
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    expectsContinue: fields.expect !== undefined && httpVersion !== '1.0',
    upgrade: upgradeOf(fields, httpVersion),
    origin,
    preflight: method === 'OPTIONS' && origin !== undefined ? preflightOf(fields) : undefined,
  };
}

function methodNotAllowed(extraMethods: ReadonlySet<string>): Denial {
  return deny('invalid_request', 'method_not_allowed', { allow: [...STANDARD_METHODS, ...extraMethods].join(', ') });
}

function checkFields(fields: HeadFields, head: RequestHead): string | undefined {
  const { httpVersion } = head;
  if (fields.host === undefined) return 'host_missing';
  if (!isHost(fields.host)) return 'host_malformed';
  const framingReason = checkFraming(fields.contentLength, fields.transferEncoding, httpVersion);
  if (framingReason !== undefined) return framingReason;
  // RFC 9110 section 10.1.1: an expectation on HTTP/1.0 is ignored.
  if (fields.expect !== undefined && httpVersion !== '1.0' && fields.expect.toLowerCase() !== '100-continue') {
    return 'expectation_unknown';
  }
  // The runtime has given the connection away as upgraded, so it cannot be answered as an ordinary request any more.
  if (head.upgrade && upgradeOf(fields, httpVersion) === undefined) return 'upgrade_malformed';
  if (fields.resource !== undefined && !isResourceIdentifier(fields.resource)) return 'resource_malformed';
  return undefined;
}

// RFC 9110 section 7.8: without `upgrade` in `Connection`, or on HTTP/1.0, `Upgrade` is ignored; HTTP/2 has none.
function upgradeOf(fields: HeadFields, httpVersion: string): string | undefined {
  if (fields.upgrade === undefined || fields.connection === undefined || httpVersion !== '1.1') return undefined;
  const options = fields.connection.toLowerCase().split(',');
  return options.some((option) => option.trim() === 'upgrade') ? fields.upgrade.toLowerCase() : undefined;
}

function preflightOf(fields: HeadFields): CheckedHead['preflight'] {
  const method = fields.accessControlRequestMethod;
  return method === undefined ? undefined : { method, headers: fields.accessControlRequestHeaders };
}
