export {
  CLIENT_DEFAULTS,
  type ClientAuthenticationMethod,
  type ClientOptions,
  oauthSecretOrigins,
} from './client/client-options.js';
export type { AssertionAlgorithm } from './client/private-key.js';
export { ConnectInputError } from './connect/connect-input-error.js';
export {
  type ConnectionStatus,
  type ConnectService,
  type ConnectServiceOptions,
  createConnectService,
  type ListedConnection,
} from './connect/connect-service.js';
export {
  type ConnectLinks,
  type ConnectLinksOptions,
  type ConnectTicket,
  connectLinks,
  DEFAULT_INVITATION_SECONDS,
  MAX_INVITATION_SECONDS,
} from './connect/links.js';
export { type SignInOptions, signInPlaceId } from './connect/sign-in.js';
export type { OAuthEvent, OAuthEventType } from './event.js';
export {
  type ClientCredentialsOptions,
  type MachineGrant,
  oauth2ClientCredentials,
} from './machine/client-credentials.js';
export type { AssertionOptions } from './machine/jwt-bearer.js';
export {
  type ExchangedMandateOptions,
  type ExchangingTokenService,
  exchangedMandate,
} from './mandate/exchanged-mandate.js';
export type { Probe, Probeable } from './probe.js';
export type { TokenProviderOptions } from './provider-members.js';
export type { ConnectionAuditOptions, OAuthServices } from './services.js';
export {
  type AuthorizationCodeOptions,
  type AuthorizationCodeProvider,
  oauth2AuthorizationCode,
} from './user/authorization-code.js';
export type { ConnectableProvider } from './user/connectable-provider.js';
export type { Disconnection } from './user/connections.js';
export { type Resealed, type ResealOptions, resealConnections } from './user/reseal-connections.js';
