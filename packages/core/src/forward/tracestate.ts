import { trimOptionalWhitespace } from './optional-whitespace.js';

/** Members a `tracestate` may have. @see https://www.w3.org/TR/trace-context-2/ section 3.3.1.1 */
export const MAX_TRACESTATE_MEMBERS = 32;
/** Characters that are sent on; the specification asks for at least as many. */
export const MAX_TRACESTATE_LENGTH = 512;

const LARGE_MEMBER_LENGTH = 128;

const SIMPLE_KEY = /^[a-z][a-z0-9_\-*/]{0,255}$/;
const TENANT_KEY = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * The value to send on for the `tracestate` lines of a request: a single line as received, several joined in order.
 * `undefined` where it is invalid, has more than 32 members, or none. One that is too long loses whole members:
 * first those over 128 characters, then from the end, where the oldest are. @see section 3.3.1.5
 */
export function joinedTracestate(lines: readonly string[]): string | undefined {
  const joined = lines.map((line) => trimOptionalWhitespace(line)).join(',');
  const members = joined
    .split(',')
    .map(trimOptionalWhitespace)
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > MAX_TRACESTATE_MEMBERS || !members.every(isMember)) return undefined;
  return joined.length <= MAX_TRACESTATE_LENGTH ? joined : shortened(members);
}

function isMember(member: string): boolean {
  const equals = member.indexOf('=');
  if (equals === -1) return false;
  const key = member.slice(0, equals);
  return (SIMPLE_KEY.test(key) || TENANT_KEY.test(key)) && VALUE.test(member.slice(equals + 1));
}

function shortened(members: readonly string[]): string | undefined {
  const kept = [...members];
  let length = kept.reduce((sum, member) => sum + member.length + 1, -1);
  for (let i = kept.length - 1; i >= 0 && length > MAX_TRACESTATE_LENGTH; i--) {
    if (kept[i]!.length > LARGE_MEMBER_LENGTH) length -= kept.splice(i, 1)[0]!.length + 1;
  }
  while (length > MAX_TRACESTATE_LENGTH) length -= kept.pop()!.length + 1;
  return kept.length === 0 ? undefined : kept.join(',');
}
