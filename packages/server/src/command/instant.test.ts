import { describe, expect, it } from 'vitest';
import { CommandError } from '../frame/command-error.js';
import { instant } from './instant.js';

const NOW = Date.UTC(2026, 10, 25, 14);

describe('instant', () => {
  it.each([
    ['2026-11-25T12:30:00Z', '2026-11-25T12:30:00.000Z'],
    ['2026-11-25T12:30:00+02:00', '2026-11-25T10:30:00.000Z'],
    ['2026-11-25T12:30:00.5Z', '2026-11-25T12:30:00.500Z'],
    ['2026-11-25T12:30', '2026-11-25T12:30:00.000Z'],
    ['2026-11-25', '2026-11-25T00:00:00.000Z'],
    ['15m', '2026-11-25T13:45:00.000Z'],
    ['2h', '2026-11-25T12:00:00.000Z'],
    ['7d', '2026-11-18T14:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(instant('since', text, NOW)?.toISOString()).toBe(expected);
  });

  it.each(['', 'yesterday', '15', '-1h', '2026', '2026-13-01', '25.11.2026', '2026-11-25T25:00:00Z', '1.5h'])(
    'refuses %j',
    (text) => {
      expect(() => instant('since', text, NOW)).toThrow(CommandError);
    },
  );
});
