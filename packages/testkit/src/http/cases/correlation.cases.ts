import assert from 'node:assert/strict';
import type { HttpCase } from '../case.js';
import { type HeaderField, headerValue, headerValues } from '../message.js';
import { upstreamSees } from '../upstream-sees.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const VALID_TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function traceIdOf(headers: readonly HeaderField[]): string {
  const traceparent = headerValue(headers, 'traceparent') ?? '';
  assert.match(traceparent, VALID_TRACEPARENT);
  return traceparent.slice(3, 35);
}

/** Sections 1 and 5: request ids and traces. */
export const correlationCases: readonly HttpCase[] = [
  {
    name: 'passes the request id of the caller and records it',
    section: '1',
    run: async (t) => {
      const { authorized } = await t.allowed(await t.send({ headers: [['X-Request-Id', 'caller-1!~']] }));
      assert.deepEqual(headerValues(t.received().headers, 'x-request-id'), ['caller-1!~']);
      assert.equal(authorized.clientRequestId, 'caller-1!~');
    },
  },
  ...(
    [
      ['there is none', []],
      ['it is too long', [['X-Request-Id', 'r'.repeat(129)]]],
      ['it has a blank', [['X-Request-Id', 'a b']]],
      ['it is not ASCII', [['X-Request-Id', '\xe4\xe4']]],
      ['it is empty', [['X-Request-Id', '']]],
    ] as const
  ).map(
    ([what, headers]): HttpCase => ({
      name: `sends its own request id where ${what}`,
      section: '1',
      run: async (t) => {
        const response = await t.send({ headers });
        const { authorized } = await t.allowed(response);
        const sent = headerValues(t.received().headers, 'x-request-id');
        assert.deepEqual(sent, [headerValue(response.headers, 'x-caracal-request-id')]);
        assert.equal(authorized.clientRequestId ?? undefined, undefined);
      },
    }),
  ),
  {
    name: 'continues the trace of the caller',
    section: '5',
    run: async (t) => {
      const { authorized } = await t.allowed(
        await t.send({
          headers: [
            ['traceparent', TRACEPARENT],
            ['tracestate', 'vendor=value'],
          ],
        }),
      );
      const { headers } = t.received();
      assert.equal(traceIdOf(headers), TRACE_ID);
      assert.equal(authorized.traceId, TRACE_ID);
      assert.match(headerValues(headers, 'tracestate').join(), /vendor=value/);
    },
  },
  upstreamSees('begins a trace where there is none', '5', {}, (headers) => {
    traceIdOf(headers);
  }),
  ...(
    [
      ['is all zeros', [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]],
      ['is in upper case', [TRACEPARENT.toUpperCase()]],
      ['is too short', ['00-abc-def-01']],
      ['has version ff', [TRACEPARENT.replace(/^00/, 'ff')]],
      ['occurs twice', [TRACEPARENT, TRACEPARENT]],
    ] as const
  ).map(([what, values]) =>
    upstreamSees(
      `begins a new trace where traceparent ${what}`,
      '5',
      { headers: [...values.map((value): HeaderField => ['traceparent', value]), ['tracestate', 'vendor=value']] },
      (headers) => {
        assert.notEqual(traceIdOf(headers), TRACE_ID);
        assert.doesNotMatch(headerValues(headers, 'tracestate').join(), /vendor/);
      },
    ),
  ),
];
