import { wrongUse } from '../frame/command-error.js';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A date alone, or with a time; without an offset it is UTC, wherever it is typed. */
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Reads `2026-11-25T14:00:00Z`, `2026-11-25`, or how long ago: `15m`, `2h`, `7d`. @throws CommandError */
export function instant(option: string, text: string | undefined, now: number): Date | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (unit !== undefined) return new Date(now - Number(count) * UNIT_MS[unit]!);
  const isUtc = !text.includes('T') || /(Z|[+-]\d{2}:\d{2})$/.test(text);
  const date = new Date(ISO.test(text) ? (isUtc ? text : `${text}Z`) : Number.NaN);
  if (Number.isNaN(date.getTime())) {
    throw wrongUse(`--${option} is a time such as 2026-11-25T14:00:00Z, or how long ago: 15m, 2h, 7d`);
  }
  return date;
}
