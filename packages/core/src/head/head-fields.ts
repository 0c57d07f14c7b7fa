import { type Denial, deny } from '../errors.js';
import { byteClass } from '../syntax/byte-class.js';
import { isFieldValue, isToken } from '../syntax/header-syntax.js';
import type { RequestHead } from './head.js';

/** How many headers, and how many bytes of them, a request may have. */
export interface FieldLimits {
  readonly maxHeaderCount: number;
  /** Names and values, and four bytes a line for what separates them. */
  readonly maxHeaderBytes: number;
}

/** The header values the first checks look at; `undefined` where the header is absent. */
export interface HeadFields {
  host: string | undefined;
  authorization: string | undefined;
  resource: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  origin: string | undefined;
  accessControlRequestMethod: string | undefined;
  /** Lists: repeated lines are joined by a comma. */
  accessControlRequestHeaders: string | undefined;
  connection: string | undefined;
  expect: string | undefined;
  upgrade: string | undefined;
  requestId: string | undefined;
}

const LINE_OVERHEAD = ': \r\n'.length;

/** Headers that decide who is asked for what, or where a request ends. */
const DECISIVE_NAMES: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'x-caracal-resource',
  'x-caracal-client-id',
]);

/** By length: whether a name this file knows is so long. One of another length is not even lowered. */
const KNOWN_LENGTHS = byteClass((length) => [4, 6, 7, 10, 12, 13, 14, 17, 18, 19, 29, 30].includes(length));

/**
 * Reads the headers in one pass: names are tokens, values hold no control characters, both within the limits, and what
 * must not repeat does not.
 */
export function readFields(head: RequestHead, limits: FieldLimits): HeadFields | Denial {
  const { headers } = head;
  if (headers.length > limits.maxHeaderCount * 2) return deny('invalid_request', 'headers_too_large');
  const fields = noFields();
  let bytes = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1];
    if (value === undefined) return deny('invalid_request', 'header_without_value');
    bytes += name.length + value.length + LINE_OVERHEAD;
    if (bytes > limits.maxHeaderBytes) return deny('invalid_request', 'headers_too_large');
    if (!isToken(name)) return deny('invalid_request', 'header_name_malformed');
    const known = KNOWN_LENGTHS[name.length] === 1 ? name.toLowerCase() : undefined;
    // The longest value by far goes no further than to the reader of bearer tokens, which is stricter.
    if (known !== 'authorization' && !isFieldValue(value)) return deny('invalid_request', 'header_value_malformed');
    const reason = known === undefined ? undefined : keep(fields, known, value);
    if (reason !== undefined) return deny('invalid_request', reason);
  }
  return head.fidelity === 'joined' ? withoutJoined(fields) : fields;
}

function noFields(): HeadFields {
  return {
    host: undefined,
    authorization: undefined,
    resource: undefined,
    contentLength: undefined,
    transferEncoding: undefined,
    origin: undefined,
    accessControlRequestMethod: undefined,
    accessControlRequestHeaders: undefined,
    connection: undefined,
    expect: undefined,
    upgrade: undefined,
    requestId: undefined,
  };
}

function keep(fields: HeadFields, name: string, value: string): string | undefined {
  switch (name) {
    case 'host':
      if (fields.host !== undefined) return 'host_repeated';
      fields.host = value;
      return undefined;
    case 'authorization':
      if (fields.authorization !== undefined) return 'authorization_repeated';
      fields.authorization = value;
      return undefined;
    case 'x-caracal-resource':
      if (fields.resource !== undefined) return 'resource_repeated';
      fields.resource = value;
      return undefined;
    case 'x-caracal-client-id':
      // A name the caller gives itself: who is acting is a claim of the mandate and nothing else.
      return 'client_id_header';
    case 'content-length':
      // Equal values too: RFC 9110 section 8.6 lets a recipient refuse them, and then no hop can differ in its choice.
      if (fields.contentLength !== undefined) return 'content_length_repeated';
      fields.contentLength = value;
      return undefined;
    case 'transfer-encoding':
      if (fields.transferEncoding !== undefined) return 'transfer_encoding_repeated';
      fields.transferEncoding = value;
      return undefined;
    case 'origin':
      if (fields.origin !== undefined) return 'origin_repeated';
      fields.origin = value;
      return undefined;
    case 'access-control-request-method':
      if (fields.accessControlRequestMethod !== undefined) return 'preflight_method_repeated';
      fields.accessControlRequestMethod = value;
      return undefined;
    case 'access-control-request-headers':
      fields.accessControlRequestHeaders = joined(fields.accessControlRequestHeaders, value);
      return undefined;
    case 'connection':
      fields.connection = joined(fields.connection, value);
      return undefined;
    case 'expect':
      fields.expect = joined(fields.expect, value);
      return undefined;
    case 'upgrade':
      fields.upgrade = joined(fields.upgrade, value);
      return undefined;
    case 'x-request-id':
      // Two of them join to a text with a space in it, which is no request id: see checkHead.
      fields.requestId = joined(fields.requestId, value);
      return undefined;
    default:
      return isFoldedSpelling(name) ? 'header_name_ambiguous' : undefined;
  }
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

/**
 * Whether a name becomes a decisive one where `_`, `.` or any other mark is taken for `-`, as CGI and what descends from it
 * do. No client means such a name; one that sends `Transfer_Encoding` or `X_Caracal_Resource` looks for two readers that
 * differ.
 */
function isFoldedSpelling(name: string): boolean {
  return /[^a-z0-9-]/.test(name) && DECISIVE_NAMES.has(name.replace(/[^a-z0-9]/g, '-'));
}

/** Where the runtime joins repeated headers, a comma is how a second one shows; no single value here has a comma. */
function withoutJoined(fields: HeadFields): HeadFields | Denial {
  if (fields.authorization?.includes(',')) return deny('invalid_request', 'authorization_repeated');
  if (fields.resource?.includes(',')) return deny('invalid_request', 'resource_repeated');
  if (fields.host?.includes(',')) return deny('invalid_request', 'host_repeated');
  if (fields.contentLength?.includes(',')) return deny('invalid_request', 'content_length_repeated');
  if (fields.origin?.includes(',')) return deny('invalid_request', 'origin_repeated');
  return fields;
}
