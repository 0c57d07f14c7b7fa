import { jsonLine } from '@caracal/core';

/** One thing worth telling an operator. Fields are chosen by whoever writes it: never a token, a query or a secret. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  /** What happened, snake_case. */
  readonly event: string;
  readonly [field: string]: string | number | boolean | readonly string[] | undefined;
}

/** Takes log entries. Does not throw. */
export type Log = (entry: LogEntry) => void;

/** Longest text of one field, characters. */
const MAX_FIELD_LENGTH = 1_024;

/** One JSON object a line, control and bidirectional characters escaped. */
export function ndjsonLog(output: { write(text: string): unknown }, now: () => number = Date.now): Log {
  return ({ level, event, ...fields }) => {
    const entry: Record<string, unknown> = { time: new Date(now()).toISOString(), level, event };
    for (const [name, value] of Object.entries(fields)) entry[name] = bounded(value);
    output.write(`${jsonLine(entry)}\n`);
  };
}

function bounded(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 100).map(bounded);
  return typeof value === 'string' ? value.slice(0, MAX_FIELD_LENGTH).toWellFormed() : value;
}
