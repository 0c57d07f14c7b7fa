export { assertNoCanary, Canaries } from './http/canaries.js';
// The HTTP suite
export type { CaseRequest, ExpectedRefusal, HttpCase, HttpCaseTools } from './http/case.js';
export { httpCases } from './http/cases.js';
export { type ChildSubject, type ChildSubjectOptions, childSubject } from './http/child-subject.js';
export { RawConnection, type RawResponse, type ResponseHead } from './http/client.js';
export { type DrainableServer, gatewayStarter } from './http/gateway-starter.js';
export { localSubject } from './http/local-subject.js';
export { type HeaderField, headerValue, headerValues } from './http/message.js';
export { type RequestParts, requestBytes } from './http/request-bytes.js';
export { runHttpCase } from './http/run-case.js';
export { serveSubject } from './http/serve-subject.js';
export { type HttpSuite, type HttpSuiteOptions, startHttpSuite } from './http/suite.js';
export {
  type Claims,
  createTestIssuer,
  TEST_MANDATE_LIFE_SECONDS,
  type TestAlgorithm,
  type TestIssuer,
  type TestIssuerOptions,
} from './issuer.js';
// The suites of the ports
export * from './ports/index.js';
export type {
  StartedSubject,
  StartSubject,
  Subject,
  SubjectConfig,
  SubjectIssuer,
  SubjectProvider,
  SubjectResource,
} from './subject.js';
export {
  type Answer,
  type RecordingUpstream,
  type Reply,
  startUpstream,
  type UpstreamRequest,
} from './upstream.js';
