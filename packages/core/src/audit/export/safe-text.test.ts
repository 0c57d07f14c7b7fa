import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeForTerminal, jsonLine } from './safe-text.js';

describe('escapeForTerminal', () => {
  it('shows control characters, escape sequences and bidirectional controls instead of obeying them', () => {
    expect(escapeForTerminal('a\u001b[31mb\r\n\u009b\u202egpj\u2066x\u2028')).toBe(
      'a\\u001b[31mb\\u000d\\u000a\\u009b\\u202egpj\\u2066x\\u2028',
    );
  });

  it('leaves other text as it is, in every script', () => {
    expect(escapeForTerminal('Ünïcödé עברית العربية \u{1f511} a\\b')).toBe('Ünïcödé עברית العربية \u{1f511} a\\b');
  });

  it('shows characters that are not seen, so that two names which look alike are not', () => {
    expect(escapeForTerminal('al\u200bice\u2060\ufeff\u00ad\u{e0041}')).toBe(
      'al\\u200bice\\u2060\\ufeff\\u00ad\\udb40\\udc41',
    );
    expect(JSON.parse(jsonLine('al\u200bice\u{e0041}'))).toBe('al\u200bice\u{e0041}');
  });

  it('writes no lone surrogate', () => {
    expect(escapeForTerminal('a\ud800b')).toBe('a\ufffdb');
  });
});

describe('jsonLine', () => {
  it('is the same value once parsed, and one harmless line until then', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (value) => {
        const line = jsonLine(value);
        expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u);
        expect(JSON.stringify(JSON.parse(line))).toBe(JSON.stringify(value));
      }),
      { numRuns: 300 },
    );
  });

  it('refuses what JSON cannot hold', () => {
    expect(() => jsonLine(undefined)).toThrow(TypeError);
  });
});
