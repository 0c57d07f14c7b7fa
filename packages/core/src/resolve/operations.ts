import { parseTemplate } from './operation-template.js';
import { AMBIGUOUS, addOperation, findOperation, type OperationNode, operationNode } from './operation-trie.js';
import type { OperationDefinition } from './resource.js';

/** A declared operation, compiled. */
export interface Operation {
  readonly method: string;
  readonly template: string;
  readonly name: string | undefined;
  readonly scopes: readonly string[];
}

/** The declared operations of one resource. */
export interface OperationTable {
  readonly size: number;
  /** Methods that occur, upper case as declared. */
  readonly methods: ReadonlySet<string>;
  /** The most specific operation for this method and raw path (no query), or `undefined`. HEAD falls back to GET's. */
  match(method: string, path: string): Operation | undefined;
}

/** CONNECT has no path to match; TRACE echoes the request, and with it the credential the gateway has attached. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

const METHOD = /^[A-Z][A-Z0-9!#$%&'*+.^_`|~-]{0,63}$/;

/** Whether an operation can name this method. */
export function isOperationMethod(method: string): boolean {
  return METHOD.test(method) && !REFUSED_METHODS.has(method);
}

/**
 * Compiles declared operations.
 *
 * The most specific template wins, segment by segment: a literal before a `{name}` before a trailing `/**`. Segments
 * compare case-sensitively after decoding unreserved characters once. `{name}` is one segment that is not empty and
 * holds no `;`, `%2F` or `%5C`, nor those escaped again (`%252F`); `/a/**` is `/a/` and all that begins with it, not `/a`.
 * A path with an empty segment before its last matches nothing, nor does one that is another spelling of a literal, see
 * {@link findOperation}.
 *
 * @param resourceScopes Scopes of the resource, among which an operation's must be, and what an operation needs that
 *   declares no `scopes`. `scopes: []` needs none.
 * @throws TypeError naming the operation; for two equal templates, both.
 */
export function operationTable(
  definitions: readonly OperationDefinition[],
  resourceScopes?: readonly string[],
): OperationTable {
  const roots = new Map<string, OperationNode>();
  for (const [index, definition] of definitions.entries()) {
    const operation = operationOf(definition, resourceScopes, `operations.${index}`);
    let root = roots.get(operation.method);
    if (root === undefined) {
      root = operationNode();
      roots.set(operation.method, root);
    }
    const equal = addOperation(root, templateOf(operation.template, index), operation);
    if (equal !== undefined) {
      const { method, template } = operation;
      throw new TypeError(`operations.${index}: ${method} ${template} and ${method} ${equal.template} are equal`);
    }
  }
  return Object.freeze({
    size: definitions.length,
    methods: new Set(roots.keys()),
    match: (method: string, path: string) => match(roots, method, path),
  });
}

function match(roots: ReadonlyMap<string, OperationNode>, method: string, path: string): Operation | undefined {
  // `//` is an empty segment before the last: some upstreams fold it, some do not.
  if (roots.size === 0 || path.includes('//')) return undefined;
  const root = roots.get(method);
  const found = root === undefined ? undefined : findOperation(root, path);
  if (found === AMBIGUOUS) return undefined;
  return found === undefined && method === 'HEAD' ? match(roots, 'GET', path) : found;
}

function operationOf(
  { method, path, scopes, name }: OperationDefinition,
  resourceScopes: readonly string[] | undefined,
  where: string,
): Operation {
  if (!METHOD.test(method)) throw new TypeError(`${where}.method: ${JSON.stringify(method)} is no upper case method`);
  if (REFUSED_METHODS.has(method)) throw new TypeError(`${where}.method: ${method} is never forwarded`);
  const unknown = resourceScopes && scopes?.find((scope) => !resourceScopes.includes(scope));
  if (unknown !== undefined) throw new TypeError(`${where}.scopes: ${unknown} is not among the resource's scopes`);
  return Object.freeze({ method, template: path, name, scopes: Object.freeze([...(scopes ?? resourceScopes ?? [])]) });
}

function templateOf(template: string, index: number) {
  try {
    return parseTemplate(template);
  } catch (error) {
    if (error instanceof TypeError) throw new TypeError(`operations.${index}.path: ${error.message}`, { cause: error });
    throw error;
  }
}
