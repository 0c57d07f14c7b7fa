export { auditSinkCases, type ReadableAuditSink } from './audit-sink.cases.js';
export {
  authorizationRequest,
  authorizerCases,
  type JudgedQuestions,
  type JudgingAuthorizer,
} from './authorizer.cases.js';
export { connectionStoreCases, listedConnectionsCases } from './connection-store.cases.js';
export { AMBIGUOUS_PAIRS, HOSTILE_IDENTIFIERS } from './hostile-texts.js';
export {
  keyRotationCases,
  keySourceCases,
  type PublishableKeySource,
} from './key-source.cases.js';
export { type ManualClock, manualClock } from './manual-clock.js';
export { outboundCases } from './outbound.cases.js';
export {
  type MakePort,
  type PortCase,
  type PortNeed,
  type PortSubject,
  type PortTrial,
  type PortWishes,
  portCase,
  WISHED_CAPACITY,
} from './port-case.js';
export { rateLimiterCases } from './rate-limiter.cases.js';
export { replayStoreCases } from './replay-store.cases.js';
export { type FillableResourceDirectory, resourceDirectoryCases } from './resource-directory.cases.js';
export { revocationStoreCases } from './revocation-store.cases.js';
export { type FillableSecretStore, secretStoreCases } from './secret-store.cases.js';
export {
  sharedConnectionStoreCases,
  sharedRateLimiterCases,
  sharedReplayStoreCases,
  sharedRevocationStoreCases,
  sharedTokenCacheCases,
} from './shared.cases.js';
export {
  eventually,
  type MakeShared,
  type SharedCase,
  type SharedNeed,
  type SharedSubject,
  settledInTime,
  sharedCase,
} from './shared-case.js';
export { tokenCacheCases } from './token-cache.cases.js';
