import { BadJournal } from './bad-journal.js';
import { hashOf, isEventLine, LineCheck, lineEnd, NO_HASH } from './chain-line.js';
import type { HeadLedger } from './head-ledger.js';
import {
  type ChainPosition,
  parseEvent,
  precedingRecord,
  type RetentionApplied,
  type SegmentHeader,
  samePosition,
  type TornTail,
} from './journal-event.js';
import { readLineBlocks } from './line-blocks.js';
import { namedTail } from './named-tail.js';
import { describeTail } from './recover.js';
import { listSegments, parseHeader, segmentName, segmentPath } from './segment-files.js';
import type { Recovery, VerificationFailure } from './verification-report.js';

/** Reads every line of a journal in order and stops with {@link BadJournal} at the first that is not as it was written. */
export class ChainVerification {
  readonly #directory: string;
  readonly #ledger: HeadLedger;
  readonly #check = new LineCheck();
  readonly #chains = new Set<string>();
  readonly #recoveries: Recovery[] = [];
  #segments = 0;
  #bytes = 0;
  #records = 0;
  #last: ChainPosition | undefined;
  #firstHeader: SegmentHeader | undefined;
  #retention: RetentionApplied | undefined;
  #tornEnd: TornTail | undefined;
  headsOfRemovedChains = 0;

  constructor(directory: string, ledger: HeadLedger) {
    this.#directory = directory;
    this.#ledger = ledger;
  }

  async run(): Promise<void> {
    const segments = await listSegments(this.#directory);
    for (const [index, number] of segments.entries()) {
      const expected = (segments[index - 1] ?? number - 1) + 1;
      if (number !== expected) {
        throw new BadJournal({
          reason: 'segment_missing',
          message: `segment ${segmentName(expected)} is missing`,
          file: segmentName(expected),
          chain: this.#last?.chain,
          seq: this.#last && this.#last.seq + 1,
        });
      }
      await this.#verifySegment(number, segments.slice(index + 1));
    }
    this.#judgeStart();
    this.#judgeChainEnd();
  }

  found() {
    return {
      records: this.#records,
      chains: this.#chains.size,
      segments: this.#segments,
      bytes: this.#bytes,
      last: this.#last,
      uncovered: this.#records - this.#ledger.covered,
      uncoveredOutside: this.#records - this.#ledger.coveredOutside,
      recoveries: this.#recoveries,
      tornEnd: this.#tornEnd,
      removedThrough: this.#firstHeader && precedingRecord(this.#firstHeader),
    };
  }

  /** Heads of chains that are not here: removed by retention, or hidden. */
  judgeOtherChains(): void {
    const first = this.#firstHeader;
    const removed = first !== undefined && precedingRecord(first) !== undefined;
    for (const { head, outside } of this.#ledger.ofOthers(this.#chains)) {
      if (removed && head.time <= first.time) {
        if (outside) this.headsOfRemovedChains++;
        continue;
      }
      const { chain } = head;
      throw new BadJournal({
        reason: 'chain_missing',
        message: 'a head names a chain that is not here',
        chain,
        seq: 1,
      });
    }
  }

  async #verifySegment(number: number, later: readonly number[]): Promise<void> {
    const torn = await namedTail(this.#directory, number, later);
    const path = segmentPath(this.#directory, number);
    const limit = torn?.offset ?? Number.POSITIVE_INFINITY;
    let end = 0;
    let line = 0;
    this.#segments++;
    for await (const block of readLineBlocks(path)) {
      if (!block.whole || block.offset >= limit) break;
      const bytes =
        block.offset + block.bytes.length > limit ? block.bytes.subarray(0, limit - block.offset) : block.bytes;
      line = this.#verifyLines(bytes, number, line);
      end = block.offset + bytes.length;
    }
    this.#bytes += end;
    await this.#verifyTail(number, end, line, torn, later.length === 0);
  }

  async #verifyTail(
    number: number,
    end: number,
    line: number,
    torn: TornTail | undefined,
    isLast: boolean,
  ): Promise<void> {
    const tail = await describeTail(this.#directory, number, end);
    if (torn !== undefined) {
      const same = tail.offset === torn.offset && tail.bytes === torn.bytes && tail.sha256 === torn.sha256;
      if (same) return;
      throw this.#bad('tail_changed', 'an interrupted write is not as the next chain names it', number, line + 1);
    }
    if (tail.bytes === 0 && (line > 0 || isLast)) return;
    if (!isLast) {
      throw this.#bad('segment_damaged', 'a segment ends in bytes that are no record', number, line + 1);
    }
    this.#tornEnd = tail;
  }

  #verifyLines(bytes: Buffer, number: number, before: number): number {
    let line = before;
    let heads = this.#last && this.#ledger.open(this.#last.chain);
    for (let start = 0; start < bytes.length; ) {
      const end = lineEnd(bytes, start);
      line++;
      if (end === -1) throw this.#bad('malformed', 'a line does not end where the next chain says', number, line);
      if (line === 1) {
        this.#enterSegment(bytes.toString('utf8', start, end), number);
        heads = this.#ledger.open(this.#last!.chain);
      }
      const { chain, seq, hash } = this.#last!;
      const { fault } = this.#check.check(bytes, start, end, seq + 1, hash);
      if (fault !== undefined)
        throw this.#bad(fault, 'this line is not what was written after the one before', number, line);
      const own = { chain, seq: seq + 1, hash: hashOf(bytes, end) };
      this.#last = own;
      this.#records++;
      if (isEventLine(bytes, start)) this.#noteEvent(bytes.toString('utf8', start, end));
      const expected = heads?.get(own.seq);
      if (expected !== undefined) this.#meet(expected, own, number, line);
      start = end + 1;
    }
    return line;
  }

  // Sets what the first line follows: taken from the record before where there is one, else from what the line claims.
  #enterSegment(line: string, number: number): void {
    const header = parseHeader(line, number);
    if (header === undefined) throw this.#bad('malformed', 'a segment does not begin with its header', number, 1);
    const follows = precedingRecord(header);
    if (this.#firstHeader === undefined) {
      this.#firstHeader = header;
      if (header.type === 'chain.started' && follows === undefined && header.torn === undefined && number > 1) {
        throw this.#bad('segment_not_continued', 'the oldest segment says that nothing was before it', number, 1);
      }
    } else if (!samePosition(follows, this.#last)) {
      throw this.#bad('segment_not_continued', 'a segment does not follow the last record before it', number, 1);
    }
    if (header.type === 'chain.started') {
      this.#judgeChainEnd();
      this.#last = { chain: header.chain, seq: 0, hash: NO_HASH };
    } else {
      this.#last = { chain: header.chain, seq: header.seq - 1, hash: header.previous };
    }
    this.#chains.add(header.chain);
  }

  #noteEvent(line: string): void {
    const event = parseEvent(line);
    if (event === undefined) return;
    if (event.type === 'retention.applied') this.#retention = event;
    if (event.type !== 'chain.started') return;
    if (event.torn !== undefined) this.#recoveries.push({ chain: event.chain, time: event.time, torn: event.torn });
    this.#ledger.verifyOwn(event.chain, event.key);
  }

  #meet(expected: Parameters<HeadLedger['met']>[0], { hash }: ChainPosition, number: number, line: number): void {
    if (expected.some(({ head }) => head.hash !== hash)) {
      throw this.#bad('head_mismatch', 'a signed head has another hash for this record', number, line, 0);
    }
    this.#ledger.met(expected, this.#records);
  }

  #judgeChainEnd(): void {
    if (this.#last !== undefined) this.#ledger.judgeChainEnd(this.#last.chain, this.#last.seq);
  }

  #judgeStart(): void {
    const first = this.#firstHeader;
    const removed = first && precedingRecord(first);
    if (first === undefined || (removed === undefined && first.segment === 1)) return;
    const { through, last } = this.#retention ?? { through: 0, last: undefined };
    // Segments that a kill left between the record and the removal may still be there; none may be missing beyond it.
    const told = first.segment <= through || (first.segment === through + 1 && samePosition(removed, last));
    if (told || (removed === undefined && first.type === 'chain.started' && first.torn !== undefined)) return;
    throw new BadJournal({
      reason: 'removed_without_record',
      message: 'older segments are missing, and no record says that retention removed them',
      file: segmentName(first.segment),
      line: 1,
      chain: first.chain,
      seq: first.seq,
    });
  }

  #bad(
    reason: VerificationFailure['reason'],
    message: string,
    number: number,
    line: number,
    ahead: 0 | 1 = 1,
  ): BadJournal {
    return new BadJournal({
      reason,
      message,
      file: segmentName(number),
      line,
      chain: this.#last?.chain,
      seq: this.#last && this.#last.seq + ahead,
    });
  }
}
