import { type Anchor, checkedAnchor, type RevocationStore, revocationLifeMs } from '@caracal/core';

/** One revocation as workers are told it: `leftMs` is how long it still counts, `null` until it is lifted. */
export interface ToldRevocation {
  readonly anchor: Anchor;
  readonly leftMs: number | null;
}

/** One change of what is revoked. Numbered without gaps: who has the last number has all of them. */
export interface RevocationNews {
  readonly number: number;
  readonly revoked?: ToldRevocation;
  readonly lifted?: Anchor;
}

/** Tells one worker; resolves when it has taken it in, or is gone. */
export type TellNews = (news: RevocationNews) => Promise<void>;

/** The revocations of the primary process, told to every worker: a change is done when all of them have it. */
export class SharedRevocations implements RevocationStore {
  readonly #store: RevocationStore;
  readonly #workers = new Set<{ readonly tell: TellNews }>();
  #number = 0;

  constructor(store: RevocationStore) {
    this.#store = store;
  }

  /** Number of the last change. */
  get number(): number {
    return this.#number;
  }

  isRevoked(anchors: readonly Anchor[]): boolean {
    return this.#store.isRevoked(anchors);
  }

  freshAsOf(): number {
    return this.#store.freshAsOf();
  }

  async revoke(anchor: Anchor): Promise<void> {
    const checked = checkedAnchor(anchor);
    const stored = this.#store.revoke(checked);
    stored.catch(() => {}); // told below
    // In effect at once, on disk later: workers need not wait for the disk.
    const told = this.#store.isRevoked([checked]) ? this.#tell({ revoked: toldOf(checked) }) : undefined;
    await Promise.all([stored, told]);
  }

  async lift(anchor: Anchor): Promise<void> {
    const lifted = checkedAnchor(anchor);
    await this.#store.lift(lifted);
    if (!this.#store.isRevoked([lifted])) await this.#tell({ lifted });
  }

  subscribe(listener: (revoked: readonly Anchor[]) => void): () => void {
    return this.#store.subscribe(listener);
  }

  /** Tells a worker of every change from now on. Returns what ends it. */
  addWorker(tell: TellNews): () => void {
    const worker = { tell };
    this.#workers.add(worker);
    return () => void this.#workers.delete(worker);
  }

  async #tell(change: Omit<RevocationNews, 'number'>): Promise<void> {
    const news = { number: ++this.#number, ...change };
    await Promise.all([...this.#workers].map(({ tell }) => tell(news)));
  }
}

function toldOf(anchor: Anchor): ToldRevocation {
  const life = revocationLifeMs(anchor.kind);
  return { anchor, leftMs: Number.isFinite(life) ? life : null };
}
