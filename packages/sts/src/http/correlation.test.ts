import { createTraceIds } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { correlation } from './correlation.js';
import { receivedFromWeb } from './web.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const of = (headers: Record<string, string>) => {
  const request = new Request('https://tokens.example/oauth/2/token', { method: 'POST', headers });
  return correlation(receivedFromWeb(request), undefined, createTraceIds());
};

describe('correlation', () => {
  it('takes a valid trace and a request id of the caller', () => {
    const found = of({ traceparent: `00-${TRACE}-b7ad6b7169203331-01`, 'X-Request-Id': 'task-7' });
    expect(found).toMatchObject({ traceId: TRACE, clientRequestId: 'task-7' });
    found.answered('r', 200, undefined); // without telemetry nobody is told
  });

  it.each([
    [{}],
    [{ traceparent: `00-${TRACE}-b7ad6b7169203331-01, 00-${TRACE}-b7ad6b7169203331-01` }],
    [{ traceparent: 'x', 'X-Request-Id': 'a b' }],
    [{ 'X-Request-Id': 'a'.repeat(129) }],
  ])('takes nothing of %j', (headers) => {
    expect(of(headers as Record<string, string>)).toMatchObject({ traceId: undefined, clientRequestId: undefined });
  });
});
