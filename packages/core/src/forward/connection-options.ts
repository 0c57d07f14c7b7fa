import type { HeaderClassifier } from './header-classifier.js';
import { foldName } from './header-names.js';
import { trimOptionalWhitespace } from './optional-whitespace.js';

/**
 * The folded names of the headers that a `Connection` value nominates as hop-by-hop, added to `names`. Options that
 * name no header (`close`, `keep-alive`, `upgrade`) are left out: nothing of that name passes anyway, and most requests
 * have no others. @see RFC 9110 section 7.6.1
 */
export function nominatedNames(value: string, names: Set<string> | undefined): Set<string> | undefined {
  let nominated = names;
  for (const option of value.split(',')) {
    const name = foldName(trimOptionalWhitespace(option));
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'upgrade') continue;
    nominated ??= new Set();
    nominated.add(name);
  }
  return nominated;
}

/** The flat name, value list without the headers of these folded names. */
export function withoutNominated(
  headers: readonly string[],
  names: ReadonlySet<string>,
  classifier: HeaderClassifier,
): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!names.has(classifier.classify(headers[i]!).folded)) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
