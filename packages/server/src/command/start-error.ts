import { DirectoryLockedError, StorageError } from '@caracal/file';
import { ConfigurationError } from '../configuration/problem.js';
import { failed } from '../frame/command-error.js';
import { ListenError } from '../listening/bind.js';
import { configurationFault } from './configuration-option.js';

/** Why a server could not start, as a command tells it. What is none of the known reasons stays as it is. */
export function startError(cause: unknown): unknown {
  if (cause instanceof ConfigurationError) return configurationFault(cause);
  const known = cause instanceof DirectoryLockedError || cause instanceof StorageError || cause instanceof ListenError;
  return known ? failed(cause.message) : cause;
}
