// The gateway

export {
  type Attached,
  type Checked,
  learn,
  type PartlyAdmitted,
  type Received,
  type Resolved,
  type Verified,
} from './admission.js';
export { admissionPipeline, type PipelineParts } from './admission-pipeline.js';
export { ask } from './ask.js';
// attach
export { type ApiKeyOptions, apiKey } from './attach/api-key.js';
export { BEARER_TOKEN_DEFAULTS, type BearerTokenOptions, bearerToken } from './attach/bearer-token.js';
export type {
  Connection,
  ConnectionChange,
  ConnectionContent,
  ConnectionKey,
  ConnectionStore,
  ListedConnections,
} from './attach/connection-store.js';
export { headerCredential, unusableToken } from './attach/credential.js';
export { type HttpBasicOptions, httpBasic } from './attach/http-basic.js';
export { noCredential } from './attach/no-credential.js';
export { type PresentedMandateOptions, presentedMandate } from './attach/presented-mandate.js';
export {
  CALLER_LEFT,
  type Credential,
  type CredentialRequest,
  type Provider,
  type ProviderKind,
} from './attach/provider.js';
export {
  authenticationScheme,
  credentialHeaderName,
  providerId,
  providerOrigins,
} from './attach/provider-options.js';
export { sealSecret } from './attach/seal.js';
export { type SealedSecretStoreOptions, sealedSecretStore } from './attach/sealed-secret-store.js';
export { generateSealingKey, type SealingKey } from './attach/sealing-key.js';
export { Secret } from './attach/secret.js';
export { type SecretOption, type SecretSource, secretSource } from './attach/secret-source.js';
export type { SecretBinding, SecretReference, SecretStore } from './attach/secret-store.js';
export { attachedCredential } from './attach/stage.js';
export type { CachedToken, TokenCache, TokenKey } from './attach/token-cache.js';
export { type KeyWrapper, unwrapSealingKey, type WrappedSealingKey, wrapSealingKey } from './attach/wrapped-key.js';
// audit
export type { AuditFilter } from './audit/audit-filter.js';
export type { AuditSink, Durability } from './audit/audit-sink.js';
export { EvidenceWriter, type EvidenceWriterOptions } from './audit/evidence-writer.js';
export { CSV_COLUMNS, csvHeader, csvRow } from './audit/export/csv.js';
export { OCSF_VERSION, type OcsfEvent, ocsfActivity } from './audit/export/ocsf.js';
export { ocsfConnection } from './audit/export/ocsf-connection.js';
export { escapeForTerminal, jsonLine } from './audit/export/safe-text.js';
export {
  type AuditRecord,
  type Initiator,
  type Outcome,
  RECORD_TYPES,
  type RecordType,
  type TokenErrorCode,
} from './audit/record.js';
export { Recorder, type RecorderOptions } from './audit/recorder.js';
export type { RefusalCount } from './audit/refusal-flood.js';
export { acceptedRecord, reservedRoom } from './audit/stages.js';
export { evidenceText } from './audit/text.js';
// authorize
export type { AuthorizationDecision, AuthorizationRequest, Authorizer } from './authorize/authorizer.js';
export { firstUse } from './authorize/first-use.js';
export type { RateLimit, RateLimiter, RateLimitKey, RateVerdict } from './authorize/rate-limiter.js';
export type { MandateUse, ReplayStore, ReplayVerdict } from './authorize/replay-store.js';
export {
  type Authorized,
  allowedByAuthorizers,
  declaredOperation,
  grantedScopes,
  metRequirements,
  withinRateLimit,
} from './authorize/stages.js';
export { type Clock, systemClock } from './clock.js';
// enforce
export { type Admitted, type Enforced, type EnforcedCaller, enforce } from './enforce/enforce.js';
export { ofResource } from './enforce/of-resource.js';
export {
  CaracalError,
  Denial,
  type DenialMembers,
  deny,
  type ErrorCode,
  STATUS_OF_CODE,
  STATUS_OF_REASON,
} from './errors.js';
export {
  type EndReason,
  type Exchange,
  type Follower,
  type Later,
  NOTHING_SENT,
  type ResponseHead,
  type Settlement,
} from './exchange.js';
export type { ExplainedCheck, Explanation } from './explain.js';
// forward
export { type AddressPolicy, addressPolicy } from './forward/address-policy.js';
export type { Caller, Driven, UpgradeCaller } from './forward/caller.js';
export type { Channel, ChannelListener } from './forward/channel.js';
export { drive, MAX_INTERIM_RESPONSES } from './forward/drive.js';
export type { Outbound, OutboundAnswer, OutboundRequest } from './forward/outbound.js';
export type { Plan, TlsOptions } from './forward/plan.js';
export { createTraceIds, type TraceContext, type TraceIds, traceContext } from './forward/trace-context.js';
export type {
  Dispatched,
  Transport,
  TransportFailure,
  TransportFailureKind,
  TransportHandler,
} from './forward/transport.js';
export { CLOSING_TIMEOUT_MS } from './forward/websocket/relay.js';
export {
  createGateway,
  DEFAULT_DRAIN_TIMEOUT_MS,
  type Gateway,
} from './gateway.js';
export { type Fault, GATEWAY_DEFAULTS, type GatewayOptions } from './gateway-options.js';
export {
  type CheckedHead,
  checkedHead,
  checkHead,
  DEFAULT_HEAD_LIMITS,
  type HeadLimits,
  STANDARD_METHODS,
} from './head/check-head.js';
export type { Presence, Refusal, RequestHead } from './head/head.js';
export { type MalformedReason, malformed } from './head/malformed.js';
export { WEBSOCKET_VERSION, type WebSocketOffer } from './head/websocket-offer.js';
export { createIdentifiers } from './identifiers.js';
// memory: every port in this process
export { type MemoryAuditSink, type MemoryAuditSinkOptions, memoryAuditSink } from './memory/audit-sink.js';
// building blocks for stores
export { compositeKey } from './memory/composite-key.js';
export { type MemoryConnectionStoreOptions, memoryConnectionStore } from './memory/connection-store.js';
export { type MemoryRateLimiterOptions, memoryRateLimiter } from './memory/rate-limiter.js';
export { type MemoryReplayStoreOptions, memoryReplayStore } from './memory/replay-store.js';
export { memoryResourceDirectory } from './memory/resource-directory.js';
export { checkedAnchor, revocationLifeMs, SESSION_REVOCATION_MS } from './memory/revocable-anchor.js';
export { RevocationIndex } from './memory/revocation-index.js';
export { type RevocationListener, RevocationListeners } from './memory/revocation-listeners.js';
export { type MemoryRevocationStoreOptions, memoryRevocationStore } from './memory/revocation-store.js';
export { type MemoryTokenCacheOptions, memoryTokenCache } from './memory/token-cache.js';
export { refuseUnknownOptions, wholeNumber } from './option-checks.js';
// The pipeline and its stages
export { type Awaitable, chain, isPromise, type Pipeline, pipeline, type Stage, type Step } from './pipeline.js';
export { DESCRIPTION_OF_CODE, type RefusalOptions, refusal, statusOf } from './problem.js';
export { DEFAULT_LIMITS, defineResource } from './resolve/define-resource.js';
export { type Operation, type OperationTable, operationTable } from './resolve/operations.js';
// resolve
export type {
  Limits,
  LimitsDefinition,
  OperationDefinition,
  Resource,
  ResourceDefinition,
  Upstream,
} from './resolve/resource.js';
export type { MountMatch, ResourceDirectory } from './resolve/resource-directory.js';
export { isResourceIdentifier } from './resolve/resource-identifier.js';
export { resourceSchema } from './resolve/resource-schema.js';
export { acceptableShape, knownResource } from './resolve/stages.js';
// telemetry
export { DURATION_BUCKETS_S } from './telemetry/duration-buckets.js';
export type { RequestEnd, RequestTelemetry, Telemetry } from './telemetry/telemetry.js';
// verify
export type { Anchor, AnchorKind } from './verify/anchor.js';
export { isIdentifier, isName } from './verify/claim-values.js';
export { type CompactJws, parseCompactJws } from './verify/compact.js';
export { type IssuerKeySourceEnvironment, issuerKeySource } from './verify/issuer-key-source.js';
export type { IssuerOptions } from './verify/issuers.js';
export { checkHeader, type HeaderRules } from './verify/jose-header.js';
export { type JsonObject, own } from './verify/json-object.js';
export { importKeySet, selectKeys } from './verify/key-set.js';
export type { KeySet, KeySource, VerificationKey } from './verify/key-source.js';
export { CLOCK_SKEW_SECONDS, type Lifetime, lifetimeOf, MAX_LIFE_SECONDS } from './verify/lifetime.js';
export { type LocalKeySourceOptions, localKeySource } from './verify/local-key-source.js';
export type { ChainLink, Delegation, Mandate } from './verify/mandate.js';
export { peerNetwork } from './verify/peer-network.js';
export { type RemoteKeySourceOptions, remoteKeySource } from './verify/remote-key-source.js';
export type { RevocationStore } from './verify/revocation-store.js';
export { isScope, MAX_SCOPES } from './verify/scope-claim.js';
export { verifySignature } from './verify/signature.js';
export {
  freshRevocations,
  type RevocationChecks,
  stillValid,
  unrevokedMandate,
  verifiedMandate,
} from './verify/stages.js';
export { VerificationBudget } from './verify/verification-budget.js';
export { createVerifier, type Verifier, type VerifierOptions } from './verify/verifier.js';
