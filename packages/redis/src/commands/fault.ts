/**
 * What failed in Redis, without what was sent. The driver hangs the command with all its arguments on its errors, and some of
 * the server's messages repeat them: tokens and identifiers would reach a log.
 */
export function redisFault(cause: unknown): Error {
  if (!(cause instanceof Error)) return new Error('Redis failed');
  const { code } = cause as NodeJS.ErrnoException;
  if (typeof code === 'string') return new Error(`Redis: ${code}`);
  const text = /^[A-Z]+ (?!unknown command)|^Connection|^Command timed out|^Stream/.test(cause.message)
    ? cause.message.slice(0, 160)
    : cause.name;
  return new Error(`Redis: ${text}`);
}
