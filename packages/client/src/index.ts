export {
  type Client,
  type ClientOptions,
  createClient,
  type GatewayRequest,
  type Target,
  type TransportOptions,
} from './client.js';
export {
  CaracalError,
  ConnectionRequiredError,
  InsufficientScopeError,
  InvalidMandateError,
  MintError,
  NotPermittedError,
  RateLimitedError,
  SessionRevokedError,
  UnavailableError,
  UpstreamError,
} from './errors.js';
export type { Profile, ProfileResource, SecretPlace } from './profile.js';
export { refusalOf } from './refusal.js';
export type { Mint, TokenResponse, WantedMandate } from './token-endpoint.js';
export type { Fetch } from './transport.js';
