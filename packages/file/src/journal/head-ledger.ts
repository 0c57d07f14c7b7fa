import type { KeyObject } from 'node:crypto';
import { BadJournal } from './bad-journal.js';
import { type SignedHead, verifyHead } from './signed-head.js';
import { publicKeyOf } from './signing-key.js';

/** A head that has to be met. */
interface ExpectedHead {
  readonly head: SignedHead;
  readonly outside: boolean;
}

/** The heads a verification has to meet, and how far they reach. */
export class HeadLedger {
  readonly #keys: readonly KeyObject[] | undefined;
  /** By chain and sequence number; several heads of one record are all kept. */
  readonly #expected = new Map<string, Map<number, ExpectedHead[]>>();
  /** Lines verified up to and with the last one that a head covers. */
  covered = 0;
  coveredOutside = 0;

  /** `keys`: those trusted; `undefined`: each chain's own, named in its first record. */
  constructor(keys: readonly KeyObject[] | undefined) {
    this.#keys = keys;
  }

  add(head: SignedHead, outside: boolean): void {
    const chain = this.#expected.get(head.chain) ?? new Map<number, ExpectedHead[]>();
    this.#expected.set(head.chain, chain);
    const heads = chain.get(head.seq) ?? [];
    chain.set(head.seq, heads);
    heads.push({ head, outside });
  }

  /** @throws BadJournal for a head that has the signature of no trusted key, where some were given. */
  refuseForged(heads: readonly SignedHead[]): void {
    const keys = this.#keys;
    const forged = keys && heads.find((head) => !keys.some((key) => verifyHead(head, key)));
    if (forged === undefined) return;
    const { chain, seq } = forged;
    throw new BadJournal({ reason: 'head_invalid', message: 'a head is not signed with the given key', chain, seq });
  }

  /**
   * Without a trusted key heads are checked with the key their chain names: damage is found, a forger is not.
   *
   * @throws BadJournal for a head of the chain that is not signed with it.
   */
  verifyOwn(chain: string, key: string): void {
    if (this.#keys !== undefined) return;
    const publicKey = publicKeyOf(key);
    for (const heads of this.open(chain)?.values() ?? []) {
      for (const { head } of heads) {
        if (verifyHead(head, publicKey)) continue;
        const { seq } = head;
        throw new BadJournal({
          reason: 'head_invalid',
          message: 'a head is not signed with its chain’s key',
          chain,
          seq,
        });
      }
    }
  }

  /** @throws BadJournal where a head covers records behind the last one of its chain. */
  judgeChainEnd(chain: string, lastSeq: number): void {
    if (this.beyond(chain, lastSeq) === undefined) return;
    throw new BadJournal({
      reason: 'records_cut',
      message: 'a signed head covers records that are not here',
      chain,
      seq: lastSeq + 1,
    });
  }

  /** The heads of a chain, to be met while its records are read. Signed by `key` if no trusted keys were given. */
  open(chain: string): ReadonlyMap<number, readonly ExpectedHead[]> | undefined {
    return this.#expected.get(chain);
  }

  /** A record is as its heads say. `records`: how many lines have been verified with it. */
  met(heads: readonly ExpectedHead[], records: number): void {
    this.covered = records;
    if (heads.some(({ outside }) => outside)) this.coveredOutside = records;
  }

  /** The first head of a chain behind its last record. */
  beyond(chain: string, lastSeq: number): SignedHead | undefined {
    let first: SignedHead | undefined;
    for (const [seq, [expected]] of this.#expected.get(chain) ?? []) {
      if (seq > lastSeq && (first === undefined || seq < first.seq)) first = expected?.head;
    }
    return first;
  }

  /** Heads of chains that are none of these. */
  ofOthers(chains: ReadonlySet<string>): ExpectedHead[] {
    const others: ExpectedHead[] = [];
    for (const [chain, heads] of this.#expected) {
      if (!chains.has(chain)) others.push(...[...heads.values()].flat());
    }
    return others;
  }
}
