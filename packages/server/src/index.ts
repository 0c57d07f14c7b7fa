// configuration
export type {
  AdminConfiguration,
  ApplicationConfiguration,
  Configuration,
  GatewayConfiguration,
  ListenerTlsConfiguration,
  ProviderConfiguration,
  ResourceConfiguration,
  TokenServiceConfiguration,
} from './configuration/configuration.js';
export { defineConfiguration } from './configuration/define-configuration.js';
export { findConfiguration } from './configuration/find-configuration.js';
export { isLocal, type ListenAddress, originOf, parseListen } from './configuration/listen.js';
export {
  configurationOf,
  type LoadedConfiguration,
  loadConfiguration,
  MAX_CONFIGURATION_BYTES,
} from './configuration/load-configuration.js';
export { configurationProblems, type ParseOptions, parseConfiguration } from './configuration/parse-configuration.js';
export { ConfigurationError, type ConfigurationProblem, problemLine } from './configuration/problem.js';
export { type ConfigurationFile, configurationSchema } from './configuration/schema.js';
