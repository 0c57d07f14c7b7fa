import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTraceIds, traceContext, traceHeaders } from './trace-context.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const VALID = `00-${TRACE_ID}-${SPAN_ID}-01`;
const NEW = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
const NEW_HEADERS = ['traceparent', `00-${NEW.traceId}-${NEW.spanId}-00`];

function read(...headers: string[]) {
  return traceContext(headers, () => NEW);
}

describe('traceContext', () => {
  it('sends a valid context on as received', () => {
    const context = read('Accept', '*/*', 'TraceParent', VALID, 'Tracestate', 'foo=1 ,\tbar=2');
    expect(context).toEqual({
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      sampled: true,
      traceparent: VALID,
      tracestate: 'foo=1 ,\tbar=2',
      continued: true,
    });
    expect(traceHeaders(context)).toEqual(['traceparent', VALID, 'tracestate', 'foo=1 ,\tbar=2']);
  });

  it('starts a trace that is not sampled where there is none', () => {
    const context = read('Accept', '*/*');
    expect(context).toMatchObject({ ...NEW, sampled: false, tracestate: undefined, continued: false });
    expect(traceHeaders(context)).toEqual(NEW_HEADERS);
  });

  it.each([
    `cc-${TRACE_ID}-${SPAN_ID}-01`,
    `cc-${TRACE_ID}-${SPAN_ID}-01-what-the-future-will-be-like`,
    `00-${TRACE_ID}-${SPAN_ID}-03`,
    `00-${TRACE_ID}-${SPAN_ID}-ff`,
  ])('accepts %s', (value) => {
    expect(read('traceparent', value)).toMatchObject({ traceId: TRACE_ID, traceparent: value, continued: true });
  });

  it('ignores spaces and tabs around it', () => {
    expect(read('traceparent', ` \t${VALID}\t `).traceparent).toBe(VALID);
  });

  it.each([
    '',
    VALID.slice(0, 54),
    `${VALID}.`,
    `${VALID}-extra`,
    `ff-${TRACE_ID}-${SPAN_ID}-01`,
    `FF-${TRACE_ID}-${SPAN_ID}-01`,
    `cc-${TRACE_ID}-${SPAN_ID}-01.what`,
    `cc-${TRACE_ID}-${SPAN_ID}-01-${'x'.repeat(500)}`,
    `.0-${TRACE_ID}-${SPAN_ID}-01`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
    `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `00-${TRACE_ID}-${SPAN_ID}-.1`,
    `00-${TRACE_ID}-${SPAN_ID}-0A`,
    `00_${TRACE_ID}_${SPAN_ID}_01`,
    `${VALID},${VALID}`,
  ])('starts a new trace and drops the state instead of %j', (value) => {
    expect(traceHeaders(read('traceparent', value, 'tracestate', 'foo=1'))).toEqual(NEW_HEADERS);
  });

  it('starts a new trace where there are two, even equal ones', () => {
    expect(traceHeaders(read('traceparent', VALID, 'traceparent', VALID, 'tracestate', 'foo=1'))).toEqual(NEW_HEADERS);
  });

  it('drops a state that comes without a trace', () => {
    expect(traceHeaders(read('tracestate', 'foo=1'))).toEqual(NEW_HEADERS);
  });

  it('drops an invalid state alone', () => {
    expect(traceHeaders(read('traceparent', VALID, 'tracestate', 'foo'))).toEqual(['traceparent', VALID]);
  });

  it('answers a context that it would itself accept, whatever came', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (traceparent, tracestate) => {
        const headers = traceHeaders(read('traceparent', traceparent, 'tracestate', tracestate));
        expect(traceHeaders(traceContext(headers, () => NEW))).toEqual(headers);
      }),
      { numRuns: 300 },
    );
  });
});

describe('createTraceIds', () => {
  it('makes valid identifiers that differ', () => {
    const newIds = createTraceIds();
    const { traceId, spanId } = newIds();
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(newIds().traceId).not.toBe(traceId);
    expect(traceContext([], newIds).continued).toBe(false);
  });
});
