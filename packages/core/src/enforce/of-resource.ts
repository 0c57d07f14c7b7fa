const NAME = 'X-Caracal-Resource';

/**
 * The headers of a request to a service that is one resource: names that resource where the caller named none. One that
 * named another sends two names then, and is refused for it (row 2).
 */
export function ofResource(headers: readonly string[], identifier: string): readonly string[] {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.toLowerCase() === NAME.toLowerCase() && headers[index + 1] === identifier) return headers;
  }
  return [...headers, NAME, identifier];
}
