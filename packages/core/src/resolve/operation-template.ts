import { checkPath } from '../head/target.js';
import { normalizeEscapes } from '../syntax/percent.js';

/** Longest template, characters: as long as the longest target. */
const MAX_TEMPLATE_LENGTH = 8 * 1024;

/** A template taken apart. */
export interface OperationTemplate {
  /** Normalised literals; `undefined` stands for a `{name}`. An empty last one stands for a trailing slash. */
  readonly segments: readonly (string | undefined)[];
  /** Whether the template ends with `/**`. */
  readonly rest: boolean;
}

const PARAMETER = /^\{[A-Za-z_][A-Za-z0-9_.-]*\}$/;

/** Takes a template apart. @throws TypeError where it could match nothing, or not what it seems to. */
export function parseTemplate(template: string): OperationTemplate {
  if (template.length > MAX_TEMPLATE_LENGTH) throw new TypeError(`longer than ${MAX_TEMPLATE_LENGTH} characters`);
  const reason = checkPath(template);
  if (reason !== undefined) throw new TypeError(`${template} is not a path that a request can have (${reason})`);
  if (template.includes('//')) throw new TypeError(`${template} has an empty segment, which no request matches`);
  const rest = template.endsWith('/**');
  const path = rest ? template.slice(1, -'/**'.length) : template.slice(1);
  const segments = rest && path === '' ? [] : path.split('/').map((segment) => parseSegment(segment, template));
  return { segments, rest };
}

function parseSegment(segment: string, template: string): string | undefined {
  if (PARAMETER.test(segment)) return undefined;
  if (segment.includes('*')) {
    throw new TypeError(`${template}: * stands for nothing there; use {name} for one segment, or end with /**`);
  }
  if (segment.includes('{') || segment.includes('}')) {
    throw new TypeError(`${template}: a {name} is a whole segment, of letters, digits, _ . and -`);
  }
  return normalizeEscapes(segment);
}
