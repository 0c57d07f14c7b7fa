import { BadJournal } from './bad-journal.js';
import { hashOf, isEventLine, LineCheck, NO_HASH } from './chain-line.js';
import type { HeadLedger } from './head-ledger.js';
import { type ChainPosition, type JournalEvent, parseEvent, precedingRecord, samePosition } from './journal-event.js';
import type { Recovery, VerificationFailure } from './verification-report.js';

/** One chain as another store keeps it. */
export interface StoredChain {
  readonly chain: string;
  /** Retention of that store has removed its entries up to here. */
  readonly removedThrough?: { readonly seq: number; readonly hash: string } | undefined;
  /** Its lines from there on, in order, as they stand in the journal. */
  readonly lines: AsyncIterable<string>;
}

/** What was before the first line that is here, and the number of the segment that begins with it. */
interface Missing {
  readonly segment: number;
  readonly before: ChainPosition;
  /** First chain of this line of process starts. */
  readonly root: string;
}

/** Reads chains that another store keeps, and stops with {@link BadJournal} at the first line that is not as it was written. */
export class StoredChains {
  readonly #ledger: HeadLedger;
  readonly #check = new LineCheck();
  /** Where each chain ended, and the first chain it descends from. */
  readonly #ends = new Map<string, ChainPosition>();
  readonly #roots = new Map<string, string>();
  readonly #missing: Missing[] = [];
  /** By root: up to which segment the journal's own retention says to have removed. */
  readonly #told = new Map<string, number>();
  readonly #removed = new Map<string, number>();
  readonly #recoveries: Recovery[] = [];
  #firstTime: string | undefined;
  #segments = 0;
  #bytes = 0;
  #records = 0;
  #last: ChainPosition | undefined;
  #groupStart = 0;
  #uncovered = 0;
  #uncoveredOutside = 0;
  #headsOfRemoved = 0;

  constructor(ledger: HeadLedger) {
    this.#ledger = ledger;
  }

  async run(chains: AsyncIterable<StoredChain>): Promise<void> {
    for await (const chain of chains) await this.#verifyChain(chain);
    this.#endGroup();
    this.#judgeMissing();
    this.#judgeOtherChains();
  }

  found() {
    return {
      records: this.#records,
      chains: this.#ends.size,
      segments: this.#segments,
      bytes: this.#bytes,
      last: this.#last,
      uncovered: this.#uncovered,
      uncoveredOutside: this.#uncoveredOutside,
      recoveries: this.#recoveries,
      tornEnd: undefined,
      removedThrough: this.#missing[0]?.before ?? this.#firstRemoved(),
    };
  }

  get headsOfRemoved(): number {
    return this.#headsOfRemoved;
  }

  async #verifyChain({ chain, removedThrough, lines }: StoredChain): Promise<void> {
    let end: ChainPosition = { chain, seq: 0, hash: NO_HASH };
    if (removedThrough !== undefined) {
      end = { chain, ...removedThrough };
      this.#removed.set(chain, removedThrough.seq);
    }
    this.#roots.set(chain, chain);
    let first = true;
    for await (const line of lines) {
      if (first && removedThrough === undefined) end = this.#enter(line, chain);
      else if (first) this.#endGroup();
      first = false;
      end = this.#verifyLine(line, end);
      this.#last = end;
    }
    this.#ends.set(chain, end);
    this.#ledger.judgeChainEnd(chain, end.seq);
  }

  // What the first line follows: the record that ended the chain before, if that is here.
  #enter(line: string, chain: string): ChainPosition {
    const event = parseEvent(line);
    const before =
      event && 'segment' in event ? precedingRecord(event as Parameters<typeof precedingRecord>[0]) : undefined;
    if (event === undefined || !('segment' in event) || event.chain !== chain) {
      throw bad('malformed', 'a chain does not begin with the line that begins it', chain, 1);
    }
    this.#firstTime ??= event.time;
    if (before === undefined || !samePosition(before, this.#last)) this.#endGroup();
    if (event.type === 'segment.started') {
      this.#missing.push({ segment: event.segment, before: before!, root: chain });
      return before!;
    }
    const known = before && this.#ends.get(before.chain);
    if (known !== undefined && !samePosition(before, known)) {
      throw bad('segment_not_continued', 'a chain does not follow the last record of the one before', chain, 1);
    }
    if (known !== undefined) this.#roots.set(chain, this.#roots.get(known.chain) ?? chain);
    else if (before !== undefined) this.#missing.push({ segment: event.segment, before, root: chain });
    return { chain, seq: 0, hash: NO_HASH };
  }

  #verifyLine(line: string, before: ChainPosition): ChainPosition {
    const { chain } = before;
    const bytes = Buffer.from(line);
    const seq = before.seq + 1;
    const { fault } = this.#check.check(bytes, 0, bytes.length, seq, before.hash);
    if (fault !== undefined) throw bad(fault, 'this line is not what was written after the one before', chain, seq);
    const own = { chain, seq, hash: hashOf(bytes, bytes.length) };
    this.#records++;
    this.#bytes += bytes.length + 1;
    if (isEventLine(bytes, 0)) this.#noteEvent(parseEvent(line), chain);
    const expected = this.#ledger.open(chain)?.get(seq);
    if (expected?.some(({ head }) => head.hash !== own.hash)) {
      throw bad('head_mismatch', 'a signed head has another hash for this record', chain, seq);
    }
    if (expected !== undefined) this.#ledger.met(expected, this.#records);
    return own;
  }

  #noteEvent(event: JournalEvent | undefined, chain: string): void {
    if (event === undefined) return;
    if (event.type === 'retention.applied') {
      const root = this.#roots.get(chain) ?? chain;
      this.#told.set(root, Math.max(event.through, this.#told.get(root) ?? 0));
      return;
    }
    this.#segments++;
    if (event.type !== 'chain.started') return;
    if (event.torn !== undefined) this.#recoveries.push({ chain, time: event.time, torn: event.torn });
    this.#ledger.verifyOwn(chain, event.key);
  }

  // A head covers the chains before its own, as far as they are named one by the other.
  #endGroup(): void {
    this.#uncovered += this.#records - Math.max(this.#ledger.covered, this.#groupStart);
    this.#uncoveredOutside += this.#records - Math.max(this.#ledger.coveredOutside, this.#groupStart);
    this.#groupStart = this.#records;
  }

  #judgeMissing(): void {
    const hidden = this.#missing.find(({ segment, root }) => (this.#told.get(root) ?? 0) < segment - 1);
    if (hidden === undefined) return;
    const { chain, seq } = hidden.before;
    throw bad(
      'chain_missing',
      'entries follow others that are not here, and no record says that they were removed',
      chain,
      seq,
    );
  }

  #judgeOtherChains(): void {
    for (const { head, outside } of this.#ledger.ofOthers(new Set(this.#ends.keys()))) {
      const removed = this.#missing.length > 0 && this.#firstTime !== undefined && head.time <= this.#firstTime;
      if (!removed) throw bad('chain_missing', 'a head names a chain that is not here', head.chain, 1);
      if (outside) this.#headsOfRemoved++;
    }
    for (const [chain, through] of this.#removed) {
      for (const [seq, heads] of this.#ledger.open(chain) ?? []) {
        if (seq <= through) this.#headsOfRemoved += heads.filter(({ outside }) => outside).length;
      }
    }
  }

  #firstRemoved(): ChainPosition | undefined {
    const [chain] = this.#removed.keys();
    return chain === undefined ? undefined : { chain, seq: this.#removed.get(chain) ?? 0, hash: '' };
  }
}

function bad(reason: VerificationFailure['reason'], message: string, chain: string, seq: number): BadJournal {
  return new BadJournal({ reason, message, chain, seq });
}
