/** Resource and template as labels of a metric. */
export interface Labels {
  readonly resource: string | undefined;
  readonly template: string | undefined;
}

/** Distinct (resource, template) pairs that are told apart. */
export const MAX_LABEL_PAIRS = 2000;

const OTHER: Labels = { resource: '_other', template: '_other' };
const NONE: Labels = { resource: undefined, template: undefined };

/**
 * What is kept for each pair of resource and template: `make` is called once for each. What comes after the first
 * {@link MAX_LABEL_PAIRS} pairs is `_other`, together.
 */
export function byLabels<Kept>(
  make: (labels: Labels) => Kept,
  maxPairs: number = MAX_LABEL_PAIRS,
): (resource: string | undefined, template: string | undefined) => Kept {
  const known = new Map<string, Map<string | undefined, Kept>>();
  const none = make(NONE);
  const other = make(OTHER);
  let pairs = 0;
  return (resource, template) => {
    if (resource === undefined) return none;
    const templates = known.get(resource) ?? new Map<string | undefined, Kept>();
    const kept = templates.get(template);
    if (kept !== undefined) return kept;
    if (pairs >= maxPairs) return other;
    pairs += 1;
    known.set(resource, templates);
    const added = make({ resource, template });
    templates.set(template, added);
    return added;
  };
}
