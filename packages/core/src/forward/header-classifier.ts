import { type HeaderName, headerName } from './header-names.js';

/** Looks up the rules of header names; one instance per gateway. */
export interface HeaderClassifier {
  /** @param name As received: in any case, not folded. */
  classify(name: string): HeaderName;
}

/** Names one classifier remembers. */
export const MAX_REMEMBERED_NAMES = 1000;

const MAX_REMEMBERED_LENGTH = 64;

/**
 * Makes a classifier that remembers names as received. A client spells its headers alike in every request, so that a
 * header costs one lookup. Full, it forgets everything: a caller who sends names of its own making slows itself down
 * and locks nobody out.
 */
export function createHeaderClassifier(): HeaderClassifier {
  const remembered = new Map<string, HeaderName>();
  return {
    classify(name) {
      const known = remembered.get(name);
      if (known !== undefined) return known;
      const found = headerName(name);
      if (name.length > MAX_REMEMBERED_LENGTH) return found;
      if (remembered.size >= MAX_REMEMBERED_NAMES) remembered.clear();
      remembered.set(name, found);
      return found;
    },
  };
}
