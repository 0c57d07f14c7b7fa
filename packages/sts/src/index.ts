export { APPLICATION_SECRET_FIELD, type ApplicationOptions, type Grant } from './application.js';
export { hashSecret } from './authenticate/secret-hash.js';
export { Denied, STATUS_OF_TOKEN_ERROR, type TokenError } from './denied.js';
export type { RequestOrigin } from './http/handler.js';
export { type FileSigningKeyStoreOptions, fileSigningKeyStore } from './keys/file-signing-key-store.js';
export {
  memorySigningKeyStore,
  type SigningAlgorithm,
  type SigningKey,
  type SigningKeyStore,
} from './keys/signing-key.js';
export type { IssuedMandate } from './mandate/issuer.js';
export type { MandateClaims, MandateUse } from './mandate/mandate-claims.js';
export { DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS } from './mandate/mandate-life.js';
export type { TokenResource } from './resource.js';
export {
  KEY_OVERLAP_SECONDS,
  TOKEN_SERVICE_DEFAULTS,
  type TokenServiceFault,
  type TokenServiceOptions,
} from './settings.js';
export { createTokenService, type IssueOptions, type TokenService } from './token-service.js';
