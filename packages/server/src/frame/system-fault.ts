/** What a system's error about a path means, and what to do. */
const MEANING: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  EACCES: 'this user may not read or write it; give permission or run as another user',
  EPERM: 'this user may not read or write it; give permission or run as another user',
  EISDIR: 'it is a directory; name a file',
  ENOTDIR: 'a part of the path is no directory; check the path',
  EEXIST: 'it exists already; name another file or remove it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** What went wrong with a file, where that is known; `undefined` where the error is of another kind. */
export function knownSystemFault(cause: unknown): string | undefined {
  const { code, path } = (cause ?? {}) as NodeJS.ErrnoException;
  return path !== undefined && code !== undefined && Object.hasOwn(MEANING, code)
    ? systemFault(path, cause)
    : undefined;
}

/** `PATH: fault; remedy`, without what else the system says. */
export function systemFault(path: string, cause: unknown): string {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return `${path}: ${MEANING[code] ?? code}`;
}
