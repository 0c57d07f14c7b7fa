import { randomUUID } from 'node:crypto';

/** A place in a chain: the record `seq` of `chain` and its hash. */
export interface ChainPosition {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
}

/** What stood at the end of a segment behind its last good record. It stays where it is; the next chain names it. */
export interface TornTail {
  /** Number of the segment. */
  readonly segment: number;
  /** Where it begins, in bytes. */
  readonly offset: number;
  readonly bytes: number;
  /** Whole lines in it; a killed process leaves none, lost power may. */
  readonly lines: number;
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string;
}

interface EventBase {
  /** UUID. */
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** First record of a chain: a process has opened the journal. */
export interface ChainStarted extends EventBase {
  readonly type: 'chain.started';
  readonly chain: string;
  readonly segment: number;
  /** The public key of this chain's heads: the raw Ed25519 key, base64url. */
  readonly key: string;
  /** Last good record of the chain before; absent in a new journal. */
  readonly predecessor?: ChainPosition | undefined;
  /** What was found behind it. */
  readonly torn?: readonly TornTail[] | undefined;
}

/** First record of a further segment of a chain. */
export interface SegmentStarted extends EventBase {
  readonly type: 'segment.started';
  readonly chain: string;
  readonly segment: number;
  /** Hash of the last record of the segment before. */
  readonly previous: string;
}

/** Segments were removed because of their age or size. */
export interface RetentionApplied extends EventBase {
  readonly type: 'retention.applied';
  /** Every segment up to this number. */
  readonly through: number;
  /** The last record that was removed: what the oldest kept record follows. */
  readonly last: ChainPosition;
}

/** What the journal records of itself, in the chain like every record. */
export type JournalEvent = ChainStarted | SegmentStarted | RetentionApplied;

/** The first line of a segment. */
export type SegmentHeader = (ChainStarted | SegmentStarted) & { readonly seq: number };

/** An event without what every event has. */
export type EventFacts<E extends JournalEvent> = Omit<E, 'id' | 'time' | 'type'>;

/** The members of an event's line, UTF-8. Its type comes first: that tells events from records without parsing. */
export function eventMembers<E extends JournalEvent>(type: E['type'], now: number, facts: EventFacts<E>): Uint8Array {
  const event = { type, id: randomUUID(), time: new Date(now).toISOString(), ...facts };
  return Buffer.from(JSON.stringify(event).slice(1, -1));
}

/** The record that a segment's first line follows. */
export function precedingRecord(header: SegmentHeader): ChainPosition | undefined {
  if (header.type === 'chain.started') return header.predecessor;
  return { chain: header.chain, seq: header.seq - 1, hash: header.previous };
}

/** A line that is to be an event. A forger may have chained anything: what is none is `undefined`, a line like others. */
export function parseEvent(line: string): JournalEvent | undefined {
  try {
    const event = JSON.parse(line) as JournalEvent;
    return event.type === 'chain.started' && typeof event.key !== 'string' ? undefined : event;
  } catch {
    return undefined;
  }
}

/** Whether two places are one. */
export function samePosition(a: ChainPosition | undefined, b: ChainPosition | undefined): boolean {
  return a?.chain === b?.chain && a?.seq === b?.seq && a?.hash === b?.hash;
}
