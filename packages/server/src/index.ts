// configuration

export type { RunningServer } from './caracal-server.js';
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
// the server
export { ListenError } from './listening/bind.js';
export type { Log, LogEntry } from './log/log.js';
export { ndjsonLog } from './log/log.js';
export type { ReloadResult } from './reload/reload-result.js';
export { type RunOptions, runServer } from './run-server.js';
// secrets
export { type PlainReference, readReference, SecretUnavailableError } from './secrets/read-reference.js';
export { loadSealingKeys, SEALING_KEY_FILE, type SealingKeys } from './secrets/sealing-keys.js';
export { secretProblems } from './secrets/secret-problems.js';
export { type ServerSecrets, serverSecrets } from './secrets/server-secrets.js';
export { type StartOptions, startFault, startServer } from './server.js';
export type { ListenerName, RunningListener, ServerStatus } from './server-status.js';
export { isWorkerProcess, runWorker } from './workers/run-worker.js';
