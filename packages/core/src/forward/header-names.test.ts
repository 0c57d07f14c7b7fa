import { describe, expect, it } from 'vitest';
import { createHeaderClassifier, MAX_REMEMBERED_NAMES } from './header-classifier.js';
import { foldName, headerName } from './header-names.js';

describe('foldName', () => {
  it('compares names without case and with every mark as dash, as lighttpd makes variables of them', () => {
    expect(foldName('X_Forwarded.For')).toBe('x-forwarded-for');
    for (const mark of "!#$%&'*+-.^_`|~") expect(foldName(`X${mark}Api${mark}Key`)).toBe('x-api-key');
    expect(foldName('accept')).toBe('accept');
  });
});

describe('a header classifier', () => {
  it('answers as headerName does, first and later', () => {
    const classifier = createHeaderClassifier();
    for (const name of ['Accept', 'X_FORWARDED_FOR', 'Cookie', 'Connection', 'Link', 'Accept', 'X'.repeat(100)]) {
      expect(classifier.classify(name)).toEqual(headerName(name));
      expect(classifier.classify(name)).toEqual(headerName(name));
    }
  });

  it('remembers names, within bounds', () => {
    const classifier = createHeaderClassifier();
    const first = classifier.classify('Accept');
    expect(classifier.classify('Accept')).toBe(first);
    for (let i = 0; i < MAX_REMEMBERED_NAMES; i++) classifier.classify(`X-${i}`);
    expect(classifier.classify('Accept')).not.toBe(first);
    expect(classifier.classify('Y'.repeat(65))).not.toBe(classifier.classify('Y'.repeat(65)));
  });
});
