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
