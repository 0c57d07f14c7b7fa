import { describe, expect, it } from 'vitest';
import { nearName } from './near-name.js';

const KNOWN = ['audit', 'check', 'dev', 'explain', 'mandate', 'profile', 'revoke', 'seal', 'serve'];

describe('nearName', () => {
  it.each([
    ['chekc', 'check'],
    ['mandat', 'mandate'],
    ['sevre', 'serve'],
    ['exp', 'explain'],
    ['revoek', 'revoke'],
    ['devv', 'dev'],
  ])('%s is probably %s', (typed, meant) => {
    expect(nearName(typed, KNOWN)).toBe(meant);
  });

  it.each(['', 'x', 'frobnicate', 'help-me'])('makes nothing of %j', (typed) => {
    expect(nearName(typed, KNOWN)).toBeUndefined();
  });
});
