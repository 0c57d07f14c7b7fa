import { decodeEscapes, normalizeEscapes } from '../syntax/percent.js';
import type { OperationTemplate } from './operation-template.js';
import type { Operation } from './operations.js';

/** The operations of one method, by segment. */
export interface OperationNode {
  readonly literals: Map<string, OperationNode>;
  /** The literals, decoded: see {@link findOperation}. */
  readonly decoded: Set<string>;
  parameter: OperationNode | undefined;
  /** Declared with a trailing `/**` here. */
  rest: Operation | undefined;
  /** Declared to end here. */
  operation: Operation | undefined;
}

/** A node without anything below it. */
export function operationNode(): OperationNode {
  return { literals: new Map(), decoded: new Set(), parameter: undefined, rest: undefined, operation: undefined };
}

/** Adds an operation, or answers the equal one that is there already. */
export function addOperation(
  root: OperationNode,
  template: OperationTemplate,
  operation: Operation,
): Operation | undefined {
  let node = root;
  for (const segment of template.segments) node = childOf(node, segment);
  const equal = template.rest ? node.rest : node.operation;
  if (equal !== undefined) return equal;
  if (template.rest) node.rest = operation;
  else node.operation = operation;
  return undefined;
}

/** The path is another spelling of a literal: no operation, and no other method's operation either. */
export const AMBIGUOUS = Symbol('ambiguous');

/**
 * The most specific operation for a raw path, segment by segment: a literal before a `{name}` before a `/**`.
 *
 * A segment that is no literal as it stands, but becomes one when reserved characters are decoded too (`%40me` beside
 * the literal `@me`), or when it is decoded twice, ends the search: some upstreams would serve it as the literal, so it
 * must not slip through under the scopes of the `{name}` beside it, nor the other way round.
 *
 * Every node is visited at most once, so the work is bounded by what is declared, not by what is sent.
 */
export function findOperation(root: OperationNode, path: string): Found {
  return find(root, path, 1, path.includes('%'));
}

type Found = Operation | typeof AMBIGUOUS | undefined;

// `start` is beyond the end once the last segment has been taken; at the end it stands before an empty last segment.
function find(node: OperationNode, path: string, start: number, escaped: boolean): Found {
  if (start > path.length) return node.operation;
  const slash = path.indexOf('/', start);
  const end = slash === -1 ? path.length : slash;
  const raw = path.slice(start, end);
  const segment = escaped ? normalizeEscapes(raw) : raw;
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = find(literal, path, end + 1, escaped);
    if (found !== undefined) return found;
  } else if (escaped && isAlias(node, segment)) return AMBIGUOUS;
  if (node.parameter !== undefined && isPlain(segment)) {
    const found = find(node.parameter, path, end + 1, escaped);
    if (found !== undefined) return found;
  }
  return node.rest;
}

function isAlias(node: OperationNode, segment: string): boolean {
  if (node.decoded.size === 0 || !segment.includes('%')) return false;
  const once = decodeEscapes(segment);
  return node.decoded.has(once) || node.decoded.has(decodeEscapes(once));
}

// `;` and escaped separators, escaped more than once too, end a segment for some upstreams and not for others: no single
// value may hold them.
function isPlain(segment: string): boolean {
  return segment !== '' && !segment.includes(';') && !(segment.includes('%') && ESCAPED_SEPARATOR.test(segment));
}

const ESCAPED_SEPARATOR = /%(?:25)*(?:2F|5C)/i;

function childOf(node: OperationNode, segment: string | undefined): OperationNode {
  if (segment === undefined) {
    node.parameter ??= operationNode();
    return node.parameter;
  }
  let child = node.literals.get(segment);
  if (child === undefined) {
    child = operationNode();
    node.literals.set(segment, child);
    node.decoded.add(decodeEscapes(segment));
  }
  return child;
}
