export {
  FILE_CONNECTIONS_MAX_ENTRIES,
  type FileConnectionStore,
  type FileConnectionStoreOptions,
  fileConnectionStore,
} from './connection-store.js';
export {
  FILE_REPLAY_DEFAULTS,
  type FileReplayStore,
  type FileReplayStoreOptions,
  fileReplayStore,
} from './replay-store.js';
export {
  FILE_REVOCATION_MAX_ENTRIES,
  type FileRevocationStore,
  type FileRevocationStoreOptions,
  fileRevocationStore,
} from './revocation-store.js';
