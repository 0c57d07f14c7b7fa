import type { HttpCase } from './case.js';
import { authorityCases } from './cases/authority.cases.js';
import { connectionCases } from './cases/connection.cases.js';
import { correlationCases } from './cases/correlation.cases.js';
import { corsCases } from './cases/cors.cases.js';
import { cutCases } from './cases/cut.cases.js';
import { forwardingCases } from './cases/forwarding.cases.js';
import { headCases } from './cases/head.cases.js';
import { locationCases } from './cases/location.cases.js';
import { mandateCases } from './cases/mandate.cases.js';
import { mountCases } from './cases/mount.cases.js';
import { providerCases } from './cases/provider.cases.js';
import { recordCases } from './cases/record.cases.js';
import { requestHeaderCases } from './cases/request-headers.cases.js';
import { resendCases } from './cases/resend.cases.js';
import { responseHeaderCases } from './cases/response-headers.cases.js';
import { revocationCases } from './cases/revocation.cases.js';
import { streamingCases } from './cases/streaming.cases.js';
import { targetCases } from './cases/target.cases.js';
import { upstreamFailureCases } from './cases/upstream-failure.cases.js';
import { webSocketCases } from './cases/web-socket.cases.js';
import { webSocketEndCases } from './cases/web-socket-end.cases.js';
import { webSocketRefusalCases } from './cases/web-socket-refusal.cases.js';

/** What every adapter has to do alike over HTTP/1.1. Each case stands alone; any order will do. */
export const httpCases: readonly HttpCase[] = Object.freeze([
  ...targetCases,
  ...headCases,
  ...mandateCases,
  ...authorityCases,
  ...revocationCases,
  ...mountCases,
  ...forwardingCases,
  ...requestHeaderCases,
  ...correlationCases,
  ...responseHeaderCases,
  ...locationCases,
  ...corsCases,
  ...providerCases,
  ...streamingCases,
  ...connectionCases,
  ...cutCases,
  ...upstreamFailureCases,
  ...resendCases,
  ...recordCases,
  ...webSocketCases,
  ...webSocketEndCases,
  ...webSocketRefusalCases,
]);
