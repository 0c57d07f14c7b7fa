import type { Document, LineCounter } from 'yaml';
import { ConfigurationError, type ProblemPath } from './problem.js';

/** What a text says, and where each part of it stands. */
export interface SourceText {
  readonly input: unknown;
  readonly lineOf: (steps: ProblemPath) => number | undefined;
}

/** Reads JSON or YAML. Keys that are given twice are errors in both. @throws ConfigurationError with lines */
export async function readSourceText(text: string, format: 'json' | 'yaml', file: string): Promise<SourceText> {
  if (format === 'json') checkJson(text, file);
  // JSON is YAML 1.2, so one parser tells the lines of both, and of keys that JSON.parse would merge in silence.
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', merge: false, uniqueKeys: true });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new ConfigurationError(
      countingFaults(faults).map(({ code, pos }) => ({
        path: '',
        fault: FAULTS[code] ?? `is not YAML that can be read (${code.toLowerCase().replaceAll('_', ' ')})`,
        remedy: 'correct that line',
        line: lines.linePos(pos[0]).line,
      })),
      file,
    );
  }
  return { input: dataOf(document, file), lineOf: (steps) => lineOf(document, lines, steps) };
}

const FAULTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'has a key twice in one object',
  TAB_AS_INDENT: 'is indented with a tab, which YAML does not allow',
};

// After the first place that cannot be read, the rest is a guess.
function countingFaults<F extends { readonly code: string }>(faults: readonly F[]): readonly F[] {
  const broken = faults.find(({ code }) => code !== 'DUPLICATE_KEY');
  return broken === undefined ? faults : [broken];
}

function dataOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    // Its text may quote the document.
    const problem = { path: '', fault: 'has aliases that cannot be followed', remedy: 'write what they stand for' };
    throw new ConfigurationError([problem], file);
  }
}

function checkJson(text: string, file: string): void {
  try {
    JSON.parse(text);
  } catch (cause) {
    // Without its text, which quotes the file.
    const line = jsonFaultLine(text, (cause as Error).message);
    const comments = /^\s*(?:\/\/|\/\*)/m.test(text) ? ' (JSON has no comments; YAML has)' : '';
    const problem = { path: '', fault: `is not JSON${comments}`, remedy: 'correct that line' };
    throw new ConfigurationError([line === undefined ? problem : { ...problem, line }], file);
  }
}

function jsonFaultLine(text: string, message: string): number | undefined {
  const [, position] = /position (\d+)/.exec(message) ?? [];
  const end = position === undefined ? (message.includes('end of JSON') ? text.length : undefined) : Number(position);
  return end === undefined ? undefined : text.slice(0, end).split('\n').length;
}

// The deepest part of the path that is in the file: what is missing is told where it belongs.
function lineOf(document: Document.Parsed, lines: LineCounter, steps: ProblemPath): number | undefined {
  for (let length = steps.length; length > 0; length--) {
    const start = startOf(document, steps.slice(0, length));
    if (start !== undefined) return lines.linePos(start).line;
  }
  return document.contents === null ? undefined : 1;
}

interface KeyedPair {
  readonly key: { readonly value?: unknown; readonly range?: readonly number[] | null };
}

// A key's own line: its value may begin below it.
function startOf(document: Document.Parsed, steps: ProblemPath): number | undefined {
  const last = steps.at(-1);
  if (typeof last === 'string') {
    const parent = steps.length === 1 ? document.contents : document.getIn(steps.slice(0, -1), true);
    const pairs = (parent as { items?: readonly KeyedPair[] } | undefined)?.items ?? [];
    return pairs.find((pair) => pair?.key?.value === last)?.key.range?.[0];
  }
  return (document.getIn(steps, true) as { range?: readonly number[] | null } | undefined)?.range?.[0];
}
