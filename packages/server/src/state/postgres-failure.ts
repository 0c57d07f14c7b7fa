/** What failed with PostgreSQL, as text without secrets; `undefined` where it was something else. */
export function postgresFailure(cause: unknown): string | undefined {
  return cause instanceof Error && cause.name === 'PostgresError' ? cause.message : undefined;
}
