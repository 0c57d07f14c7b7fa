import { describe, expect, it } from 'vitest';
import { withoutDomain } from './set-cookie.js';

describe('withoutDomain', () => {
  it.each([
    ['a=1; Path=/; HttpOnly', 'a=1; Path=/; HttpOnly'],
    ['a=1; Domain=example.com; Path=/', 'a=1; Path=/'],
    ['a=1;domain=.example.com', 'a=1'],
    ['a=1; DOMAIN ; Secure;\t dOmAiN =x', 'a=1; Secure'],
    ['Domain=example.com; Path=/', 'Domain=example.com; Path=/'],
    ['a="x; Domain=example.com"; Secure', 'a="x; Secure'],
    ['a=1; Domains=x', 'a=1; Domains=x'],
  ])('turns %j into %j', (value, expected) => {
    expect(withoutDomain(value)).toBe(expected);
  });
});
