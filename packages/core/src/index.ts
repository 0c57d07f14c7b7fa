// The gateway
export {
  createGateway,
  DEFAULT_DRAIN_TIMEOUT_MS,
  type Gateway,
} from './gateway.js';
export { type Fault, GATEWAY_DEFAULTS, type GatewayOptions } from './gateway-options.js';
export type { RequestHead, Refusal } from './head.js';
export type { EndReason, Exchange, Follower, ResponseHead, Settlement } from './exchange.js';
export type { ExplainedCheck, Explanation } from './explain.js';
export {
  CaracalError,
  Denial,
  type DenialMembers,
  deny,
  type ErrorCode,
  STATUS_OF_CODE,
  STATUS_OF_REASON,
} from './errors.js';
export { DESCRIPTION_OF_CODE, refusal, type RefusalOptions, statusOf } from './problem.js';
export { type Clock, systemClock } from './clock.js';

// The pipeline and its stages
export { type Awaitable, chain, isPromise, type Pipeline, pipeline, type Stage, type Step } from './pipeline.js';
export type { Attached, Checked, PartlyAdmitted, Received, Resolved, Verified } from './admission.js';
export { admissionPipeline, type PipelineParts } from './admission-pipeline.js';
export {
  type CheckedHead,
  checkedHead,
  checkHead,
  DEFAULT_HEAD_LIMITS,
  type HeadLimits,
  STANDARD_METHODS,
} from './check-head.js';

// verify
export type { Anchor, AnchorKind } from './verify/anchor.js';
export type { ChainLink, Delegation, Mandate } from './verify/mandate.js';
export type { IssuerOptions } from './verify/issuers.js';
export type { KeySet, KeySource, VerificationKey } from './verify/key-source.js';
export { createVerifier, type Verifier, type VerifierOptions } from './verify/verifier.js';
export type { RevocationStore } from './verify/revocation-store.js';
export {
  freshRevocations,
  type RevocationChecks,
  stillValid,
  unrevokedMandate,
  verifiedMandate,
} from './verify/stages.js';

// resolve
export type {
  Limits,
  LimitsDefinition,
  OperationDefinition,
  Resource,
  ResourceDefinition,
  Upstream,
} from './resolve/resource.js';
export { DEFAULT_LIMITS, defineResource } from './resolve/define-resource.js';
export { type Operation, type OperationTable, operationTable } from './resolve/operations.js';
export type { MountMatch, ResourceDirectory } from './resolve/resource-directory.js';
export { acceptableShape, knownResource } from './resolve/stages.js';

// authorize
export type { AuthorizationDecision, AuthorizationRequest, Authorizer } from './authorize/authorizer.js';
export type { RateLimit, RateLimiter, RateLimitKey, RateVerdict } from './authorize/rate-limiter.js';
export type { MandateUse, ReplayStore, ReplayVerdict } from './authorize/replay-store.js';
export { firstUse } from './authorize/first-use.js';
export {
  allowedByAuthorizers,
  type Authorized,
  declaredOperation,
  grantedScopes,
  metRequirements,
  withinRateLimit,
} from './authorize/stages.js';

// attach
export type { Credential, CredentialRequest, Provider, ProviderKind } from './attach/provider.js';
export { Secret } from './attach/secret.js';
export type { SecretBinding, SecretReference, SecretStore } from './attach/secret-store.js';
export { attachedCredential } from './attach/stage.js';

// forward
export { type AddressPolicy, addressPolicy } from './forward/address-policy.js';
export type { Caller, Driven } from './forward/caller.js';
export { drive, MAX_INTERIM_RESPONSES } from './forward/drive.js';
export type { Outbound, OutboundAnswer, OutboundRequest } from './forward/outbound.js';
export type { Plan, TlsOptions } from './forward/plan.js';
export type { TraceContext } from './forward/trace-context.js';
export type {
  Dispatched,
  Transport,
  TransportFailure,
  TransportFailureKind,
  TransportHandler,
} from './forward/transport.js';

// audit
export type { AuditSink, Durability } from './audit/audit-sink.js';
export type { AuditRecord, Outcome, RecordType } from './audit/record.js';
export { Recorder, type RecorderOptions } from './audit/recorder.js';
export { acceptedRecord, reservedRoom } from './audit/stages.js';

// telemetry
export { type OpenTelemetryOptions, openTelemetry } from './telemetry/open-telemetry.js';
export type { RequestEnd, RequestTelemetry, Telemetry } from './telemetry/telemetry.js';

// memory
export { memoryResourceDirectory } from './memory/resource-directory.js';
