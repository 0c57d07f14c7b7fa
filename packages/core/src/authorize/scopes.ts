import type { Operation } from '../resolve/operations.js';
import type { Resource } from '../resolve/resource.js';

const NONE: readonly string[] = Object.freeze([]);

/** The scopes a request needs: all of the operation's; where no operation applies, all of the resource's. */
export function requiredScopes(resource: Resource, operation: Operation | undefined): readonly string[] {
  return operation === undefined ? resource.scopes : operation.scopes;
}

/** Which of the required scopes were not granted. Tokens compare exactly. @see RFC 6749 section 3.3 */
export function missingScopes(required: readonly string[], granted: ReadonlySet<string>): readonly string[] {
  let missing: string[] | undefined;
  for (const scope of required) {
    if (granted.has(scope)) continue;
    missing ??= [];
    missing.push(scope);
  }
  return missing ?? NONE;
}
