import { type ReferenceBase, resolveReference } from './location.js';
import { trimOptionalWhitespace } from './optional-whitespace.js';

/** Links that one head may hold: each is resolved against the target, and a head has room for thousands. */
export const MAX_LINKS = 100;

/** How many more links this head may hold. */
export interface LinkBudget {
  left: number;
}

/**
 * A `Link` value as the caller may see it: targets inside the resource lead through the gateway, links to elsewhere are
 * left out, and so is a value that is not well-formed or more
 * than the budget allows. `undefined` where no link is left.
 * @see RFC 8288 section 3
 */
export function callerLinks(value: string, base: ReferenceBase, budget: LinkBudget): string | undefined {
  const links = splitLinks(value);
  if (links === undefined || links.length > budget.left) return undefined;
  budget.left -= links.length;
  const kept: string[] = [];
  for (const { target, parameters } of links) {
    const reference = resolveReference(target, base);
    // Clients such as Octokit follow links to other origins with the token they hold.
    if (reference.kind === 'inside' || reference.kind === 'gateway') kept.push(`<${reference.value}>${parameters}`);
  }
  return kept.length === 0 ? undefined : kept.join(', ');
}

interface Link {
  readonly target: string;
  /** What follows the target, as received: `; rel="next"`. */
  readonly parameters: string;
}

// Commas separate links only outside quoted strings, and a target ends at the first `>`.
function splitLinks(value: string): Link[] | undefined {
  const links: Link[] = [];
  let at = 0;
  while (at < value.length) {
    if (isSeparator(value[at]!)) {
      at += 1;
      continue;
    }
    const close = value.indexOf('>', at);
    if (value[at] !== '<' || close === -1) return undefined;
    const end = endOfParameters(value, close + 1);
    if (end === undefined) return undefined;
    const parameters = trimOptionalWhitespace(value.slice(close + 1, end));
    if (parameters !== '' && !parameters.startsWith(';')) return undefined;
    links.push({ target: value.slice(at + 1, close), parameters });
    at = end;
  }
  return links;
}

function isSeparator(char: string): boolean {
  return char === ',' || char === ' ' || char === '\t';
}

function endOfParameters(value: string, start: number): number | undefined {
  let quoted = false;
  for (let i = start; i < value.length; i++) {
    const char = value[i];
    if (quoted && char === '\\') i += 1;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === ',') return i;
  }
  return quoted ? undefined : value.length;
}
