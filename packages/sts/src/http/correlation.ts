import {
  NOTHING_SENT,
  type PartlyAdmitted,
  type RequestTelemetry,
  type Telemetry,
  type TraceIds,
  traceContext,
} from '@caracal/core';
import type { Received } from './received.js';

/** What joins a request to the caller's own records and traces. */
export interface Correlation {
  /** `X-Request-Id`, where it is 1 to 128 visible ASCII. */
  readonly clientRequestId: string | undefined;
  /** Of a valid `traceparent`, or of the span made here; `undefined` where there is neither. */
  readonly traceId: string | undefined;
  /** Tells the spans and metrics how the request was answered. `path` is that of an endpoint, so that names stay few. */
  answered(requestId: string, status: number, path: string | undefined): void;
}

const NOBODY = (): void => {};

/** Reads the headers that join requests. */
export function correlation(
  received: Received,
  telemetry: Telemetry | undefined,
  newTraceIds: () => TraceIds,
): Correlation {
  const headers = ['traceparent', 'tracestate'].flatMap((name) => {
    const value = received.header(name);
    return value === null ? [] : [name, value];
  });
  const clientRequestId = requestIdOf(received);
  if (telemetry === undefined && headers.length === 0) return { clientRequestId, traceId: undefined, answered: NOBODY };
  const incoming = traceContext(headers, newTraceIds);
  const head = {
    method: received.method,
    target: received.path,
    headers,
    httpVersion: '1.1',
    peer: { address: '' },
    upgrade: false,
    fidelity: 'joined',
  } as const;
  const measured: RequestTelemetry | undefined = telemetry?.received(head, incoming);
  const trace = measured?.trace ?? incoming;
  return {
    clientRequestId,
    traceId: trace.continued ? trace.traceId : undefined,
    answered: (requestId, status, path) => {
      const named =
        path === undefined
          ? undefined
          : { operation: { method: received.method, template: path, name: undefined, scopes: [] } };
      const asked: PartlyAdmitted = { requestId, head, receivedAt: 0, startedAt: 0, trace, evidence: 'none', ...named };
      const settlement = status < 400 ? { ...NOTHING_SENT, outcome: 'executed' as const, status } : undefined;
      measured?.finished(asked, { status, code: undefined, settlement });
    },
  };
}

function requestIdOf(received: Received): string | undefined {
  const value = received.header('x-request-id');
  return value !== null && /^[!-~]{1,128}$/.test(value) ? value : undefined;
}
