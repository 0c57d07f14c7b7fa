/** Resource and template as labels of a metric. */
export interface Labels {
  readonly resource: string | undefined;
  readonly template: string | undefined;
}

/** Distinct (resource, template) pairs that are told apart. */
export const MAX_LABEL_PAIRS = 2000;

const OTHER: Labels = { resource: '_other', template: '_other' };

/** Labels from a bounded set: what comes after the first {@link MAX_LABEL_PAIRS} pairs is `_other`. */
export function boundedLabels(maxPairs: number = MAX_LABEL_PAIRS) {
  const known = new Map<string, Map<string | undefined, Labels>>();
  let pairs = 0;
  return (resource: string | undefined, template: string | undefined): Labels => {
    if (resource === undefined) return { resource: undefined, template: undefined };
    const templates = known.get(resource) ?? new Map<string | undefined, Labels>();
    const labels = templates.get(template);
    if (labels !== undefined) return labels;
    if (pairs >= maxPairs) return OTHER;
    pairs += 1;
    known.set(resource, templates);
    const added: Labels = { resource, template };
    templates.set(template, added);
    return added;
  };
}
