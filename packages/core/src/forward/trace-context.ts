import { allIn, byteClass } from '../syntax/byte-class.js';
import { hexWriter } from '../syntax/hex.js';
import { trimOptionalWhitespace } from './optional-whitespace.js';
import { joinedTracestate } from './tracestate.js';

/** The place of a request in a trace. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all 0. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all 0: the caller's span, or a new one. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** Value to send on. */
  readonly traceparent: string;
  /** Value to send on; `undefined` where there is none. */
  readonly tracestate: string | undefined;
  /** The caller's trace goes on; `false` for a new one. */
  readonly continued: boolean;
}

/** Identifiers of a new trace, in the form {@link TraceContext} has them. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

const LOWER_HEX = byteClass((byte) => (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66));
const VERSION_00_LENGTH = 55;
const MAX_TRACEPARENT_LENGTH = 512;

/**
 * Reads the trace a request belongs to. A valid `traceparent` goes on as received, with its `tracestate`; an invalid
 * one, or two, start a new trace (not sampled) and drop `tracestate`; an invalid `tracestate` is dropped alone.
 *
 * @param headers Flat name, value list, as received.
 * @param newIds Called only where a new trace starts.
 * @see https://www.w3.org/TR/trace-context-2/
 */
export function traceContext(headers: readonly string[], newIds: () => TraceIds): TraceContext {
  let traceparent: string | undefined;
  let count = 0;
  let states: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    // Lengths first: hardly any header needs its case folded.
    if (name.length === 11 && name.toLowerCase() === 'traceparent') {
      traceparent = headers[i + 1]!;
      count += 1;
    } else if (name.length === 10 && name.toLowerCase() === 'tracestate') {
      states ??= [];
      states.push(headers[i + 1]!);
    }
  }
  if (traceparent !== undefined && count === 1) {
    const value = trimOptionalWhitespace(traceparent);
    if (isTraceparent(value)) return continuation(value, states);
  }
  return newTrace(newIds());
}

/** The headers to send on, as a flat name, value list. */
export function traceHeaders({ traceparent, tracestate }: TraceContext): string[] {
  return tracestate === undefined
    ? ['traceparent', traceparent]
    : ['traceparent', traceparent, 'tracestate', tracestate];
}

const TRACE_ID_BYTES = 16;
const TRACE_ID_LENGTH = 2 * TRACE_ID_BYTES;
const ID_BYTES = TRACE_ID_BYTES + 8;
/** As many as one draw gives, which is 64 KiB. */
const POOLED_IDS = 2730;

/** Makes a source of random identifiers. It draws for many at a time: one draw costs more than the rest of a trace. */
export function createTraceIds(): () => TraceIds {
  const pool = new Uint8Array(ID_BYTES * POOLED_IDS);
  const write = hexWriter(ID_BYTES, [TRACE_ID_BYTES]);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    // All 0 is invalid in both.
    pool[used + 15]! |= 1;
    pool[used + 23]! |= 1;
    const text = write(pool, used);
    used += ID_BYTES;
    return { traceId: text.slice(0, TRACE_ID_LENGTH), spanId: text.slice(TRACE_ID_LENGTH + 1) };
  };
}

function continuation(traceparent: string, states: readonly string[] | undefined): TraceContext {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    sampled: (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1,
    traceparent,
    tracestate: states === undefined ? undefined : joinedTracestate(states),
    continued: true,
  };
}

function newTrace({ traceId, spanId }: TraceIds): TraceContext {
  const traceparent = `00-${traceId}-${spanId}-00`;
  return { traceId, spanId, sampled: false, traceparent, tracestate: undefined, continued: false };
}

// Section 3.2.2: of a later version the first 55 characters are read as those of version 00, if they end there or at a
// dash.
function isTraceparent(value: string): boolean {
  if (value.length < VERSION_00_LENGTH || value.length > MAX_TRACEPARENT_LENGTH) return false;
  if (value[2] !== '-' || value[35] !== '-' || value[52] !== '-') return false;
  const version = value.slice(0, 2);
  if (!allIn(version, LOWER_HEX) || version === 'ff') return false;
  if (value.length > VERSION_00_LENGTH && (version === '00' || value[VERSION_00_LENGTH] !== '-')) return false;
  return isId(value.slice(3, 35)) && isId(value.slice(36, 52)) && allIn(value.slice(53, 55), LOWER_HEX);
}

function isId(text: string): boolean {
  if (!allIn(text, LOWER_HEX)) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== '0') return true;
  return false;
}
