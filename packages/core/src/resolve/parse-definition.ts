import * as v from 'valibot';

/**
 * Checks a definition against its schema and answers what the schema makes of it.
 *
 * @throws TypeError that names the path of the first mistake (`mount.host: ...`); an unknown key, `__proto__` among
 *   them, is one.
 */
export function parseDefinition<Schema extends v.GenericSchema>(
  schema: Schema,
  definition: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, definition, { abortEarly: true });
  if (result.success) return result.output;
  throw new TypeError(messageOf(result.issues[0]));
}

function messageOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const message = mistakeOf(issue);
  return path === null ? message : `${path}: ${message}`;
}

function mistakeOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== 'strict_object' || issue.path === undefined) return issue.message;
  return issue.expected === 'never' ? 'unknown key; remove it, or see the reference for its spelling' : 'is required';
}
