import type { AuditFilter, AuditRecord } from '@caracal/core';
import { hashOf, isEventLine, lineEnd, seqOf } from './chain-line.js';
import type { JournalEvent } from './journal-event.js';
import type { JournalEntry, JournalRecord, RequestTrace } from './journal-record.js';
import { NeedleScan } from './needle-scan.js';
import { RecordFilter } from './record-filter.js';
import { listSegments, readHeader, segmentName } from './segment-files.js';
import { quoted } from './text.js';
import type { Wake } from './wake.js';
import { type ReadFrom, type WalkedBlock, walkSegments } from './walk-segments.js';

/** Where a query begins. */
export interface QueryOptions {
  /** Default `start`. Behind the last record of the page before, for the next page. */
  readonly from?: ReadFrom;
}

/** How a journal is followed. */
export interface FollowOptions {
  /** Default `end`: what comes from now on. */
  readonly from?: ReadFrom;
  readonly filter?: AuditFilter;
  /** Ends it; so does leaving the loop. */
  readonly signal?: AbortSignal;
}

/** How entries are read, events of the journal included: what ships a journal to another store needs. */
export interface EntriesOptions {
  /** Default `start`. */
  readonly from?: ReadFrom;
  /** Wait at the end for more. Default `false`. */
  readonly follow?: boolean;
  /** While following: let lines gather for so long, ms, and read them together. Default 0: each as it comes. */
  readonly gatherMs?: number;
  readonly signal?: AbortSignal;
  /** Told of a line that cannot be parsed, and reading goes on behind it. Default: it throws. */
  readonly onDamaged?: (line: DamagedLine) => void;
}

/** A line that cannot be parsed, as it stands. `seq` is 0 where not even that can be read. */
export type DamagedLine = Pick<JournalEntry, 'chain' | 'seq' | 'line'>;

/** Records that match, oldest first. Reads the files: memory does not grow with the journal. */
export async function* queryRecords(
  directory: string,
  filter: AuditFilter = {},
  { from = 'start' }: QueryOptions = {},
): AsyncGenerator<JournalRecord, void, undefined> {
  yield* matching(walkSegments(directory, from), new RecordFilter(filter), from);
}

/** Records that match as they are written. Whoever reads slowly costs the writer nothing: the files are the queue. */
export async function* followRecords(
  directory: string,
  wake: Wake,
  { from = 'end', filter, signal }: FollowOptions = {},
): AsyncGenerator<JournalRecord, void, undefined> {
  const blocks = walkSegments(directory, from, wake, signal);
  yield* matching(blocks, new RecordFilter(filter), from);
}

/** Every line, parsed, events included. */
export async function* readEntries(
  directory: string,
  wake: Wake | undefined,
  { from = 'start', signal, onDamaged }: EntriesOptions = {},
): AsyncGenerator<JournalEntry, void, undefined> {
  for await (const block of walkSegments(directory, from, wake, signal)) {
    for (let start = 0; start < block.bytes.length; ) {
      const end = lineEnd(block.bytes, start);
      const entry = isSeen(block, start, from) ? undefined : entryOf(block, start, end, onDamaged);
      if (entry !== undefined) yield entry;
      start = end + 1;
    }
  }
}

/** One request's whole evidence. `ended`: whether a chain's process is gone. */
export async function traceRequest(
  directory: string,
  requestId: string,
  isOwned: () => Promise<boolean>,
): Promise<RequestTrace> {
  const records: JournalRecord[] = [];
  for await (const record of queryRecords(directory, { requestId })) records.push(record);
  const ended = records.find(({ record }) => record.outcome !== undefined);
  const authorized = records.find(({ record }) => record.type === 'request.authorized');
  const lost = authorized !== undefined && ended === undefined && (await isChainOver(directory, authorized, isOwned));
  return {
    requestId,
    records,
    issue: await issueOf(directory, records),
    outcome: ended?.record.outcome ?? (lost ? 'unknown' : undefined),
  };
}

async function isChainOver(
  directory: string,
  { chain }: JournalRecord,
  isOwned: () => Promise<boolean>,
): Promise<boolean> {
  for (const segment of (await listSegments(directory)).reverse()) {
    const header = await readHeader(directory, segment);
    if (header !== undefined) return header.chain !== chain || !(await isOwned());
  }
  return true;
}

async function issueOf(directory: string, records: readonly JournalRecord[]): Promise<JournalRecord | undefined> {
  const jti = records.find(({ record }) => record.jti !== undefined)?.record.jti;
  if (jti === undefined) return undefined;
  const issuer = records.find(({ record }) => record.issuer !== undefined)?.record.issuer;
  const needle = [`"jti":${quoted(jti)}`];
  const issued = (record: AuditRecord) =>
    record.type === 'mandate.issued' && record.jti === jti && (record.issuer ?? issuer) === issuer;
  for await (const record of scan(walkSegments(directory, 'start'), needle, issued)) return record;
  return undefined;
}

async function* matching(
  blocks: AsyncIterable<WalkedBlock>,
  filter: RecordFilter,
  from: ReadFrom = 'start',
): AsyncGenerator<JournalRecord, void, undefined> {
  let left = filter.limit;
  if (left <= 0) return;
  for await (const record of scan(blocks, filter.needles, (candidate) => filter.matches(candidate), from)) {
    yield record;
    if (--left <= 0) return;
  }
}

async function* scan(
  blocks: AsyncIterable<WalkedBlock>,
  needles: readonly string[],
  matches: (record: AuditRecord) => boolean,
  from: ReadFrom = 'start',
): AsyncGenerator<JournalRecord, void, undefined> {
  const needle = new NeedleScan(needles);
  for await (const block of blocks) {
    const { bytes } = block;
    for (let start = 0; start < bytes.length; ) {
      const end = lineEnd(bytes, start);
      if (needle.found(bytes, start, end) && !isEventLine(bytes, start)) {
        const line = bytes.toString('utf8', start, end);
        const record = parse<AuditRecord>(line, block.segment);
        // Judged even where it was seen: how a request ended counts by how it began.
        if (matches(record) && !isSeen(block, start, from)) {
          yield { chain: block.chain, seq: seqOf(bytes, start) ?? 0, hash: hashOf(bytes, end), record, line };
        }
      }
      start = end + 1;
    }
  }
}

function isSeen({ bytes, chain }: WalkedBlock, start: number, from: ReadFrom): boolean {
  return typeof from === 'object' && chain === from.chain && (seqOf(bytes, start) ?? 0) <= from.seq;
}

function entryOf(
  { bytes, chain, segment }: WalkedBlock,
  start: number,
  end: number,
  onDamaged: EntriesOptions['onDamaged'],
): JournalEntry | undefined {
  const line = bytes.toString('utf8', start, end);
  const seq = seqOf(bytes, start) ?? 0;
  try {
    return { chain, seq, hash: hashOf(bytes, end), record: parse<AuditRecord | JournalEvent>(line, segment), line };
  } catch (cause) {
    if (onDamaged === undefined) throw cause;
    onDamaged({ chain, seq, line });
    return undefined;
  }
}

const SEQ = '{"seq":';
const HASH = ',"hash":"';
/** From `,"hash":"` to the line's end. */
const SEAL_CHARACTERS = HASH.length + 64 + 2;

// `seq` and `hash` are the entry's, not the record's.
function parse<R>(line: string, segment: number): R {
  try {
    // Cut out of the text where they stand, which costs a fraction of copying every other member.
    const members = line.indexOf(',') + 1;
    if (
      line.startsWith(SEQ) &&
      line.startsWith(HASH, line.length - SEAL_CHARACTERS) &&
      members < line.length - SEAL_CHARACTERS
    ) {
      return JSON.parse(`{${line.slice(members, -SEAL_CHARACTERS)}}`) as R;
    }
    const { seq: _seq, hash: _hash, ...record } = JSON.parse(line) as Record<string, unknown>;
    return record as R;
  } catch {
    // Without the cause, which quotes the line.
    throw new Error(`a line of ${segmentName(segment)} is damaged; verify the journal`);
  }
}
