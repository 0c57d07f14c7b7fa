import type { SourceHead } from './journal-source.js';

/** Heads of a chain that wait for their records to be stored: above it every second one goes, and of the next ones too. */
const MAX_WAITING = 128;
/** A head covers all before it: one in so many ms is kept, and the last one. */
const HEAD_INTERVAL_MS = 5000;

interface Waiting {
  heads: SourceHead[];
  /** The newest one, which always waits. */
  latest: SourceHead;
  /** One in so many is put to the others. */
  stride: number;
  added: number;
  storedAt: number;
}

/** Signed heads on their way: each is stored only when the record it speaks of is. */
export class HeadQueue {
  readonly #chains = new Map<string, Waiting>();

  add(head: SourceHead): void {
    const waiting = this.#chains.get(head.chain);
    if (waiting === undefined) {
      const storedAt = Number.NEGATIVE_INFINITY;
      this.#chains.set(head.chain, { heads: [head], latest: head, stride: 1, added: 1, storedAt });
      return;
    }
    waiting.latest = head;
    if (waiting.added++ % waiting.stride === 0) waiting.heads.push(head);
    if (waiting.heads.length > MAX_WAITING) {
      waiting.heads = waiting.heads.filter((_, index) => index % 2 === 0);
      waiting.stride *= 2;
    }
  }

  /** The latest head that is covered by what is stored of its chain (`storedSeq`), if one is due. `all`: whether due or not. */
  take(chain: string, storedSeq: number, now: number, all = false): SourceHead | undefined {
    const waiting = this.#chains.get(chain);
    if (waiting === undefined || (!all && now - waiting.storedAt < HEAD_INTERVAL_MS)) return undefined;
    const { latest } = waiting;
    const heads = waiting.heads.at(-1) === latest ? waiting.heads : [...waiting.heads, latest];
    const covered = heads.findLast(({ seq }) => seq <= storedSeq);
    if (covered === undefined || waiting.heads.length === 0) return undefined;
    waiting.heads = heads.filter(({ seq }) => seq > covered.seq);
    if (waiting.heads.length === 0) waiting.stride = 1;
    waiting.storedAt = now;
    return covered;
  }

  /** A chain that has ended has no more heads. */
  forget(chain: string): void {
    this.#chains.delete(chain);
  }
}
