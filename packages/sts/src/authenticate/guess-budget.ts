/** Most derivations at once: each takes a thread and 16 MiB. */
export const MAX_CONCURRENT_GUESSES = 2;
/** Most guesses that wait, of all peers. */
export const MAX_WAITING_GUESSES = 64;
/** Most guesses that wait, of one peer. */
export const MAX_WAITING_PER_PEER = 4;

interface Waiting {
  readonly start: () => void;
  readonly refuse: () => void;
}

/**
 * What verifying secrets may cost. Peers take turns, and where the room is full the peer with the most guesses gives one
 * up: whoever guesses wrong, from however few addresses, only makes his own queue longer.
 */
export class GuessBudget {
  /** By peer, whose turn is next first. */
  readonly #queues = new Map<string, Waiting[]>();
  #waiting = 0;
  #running = 0;

  /** Runs one derivation when it is this peer's turn; `undefined` where there was no room for it. */
  async run<T>(peer: string, derivation: () => Promise<T>): Promise<T | undefined> {
    if (this.#running < MAX_CONCURRENT_GUESSES) this.#running++;
    else if (!(await this.#turn(peer))) return undefined;
    try {
      return await derivation();
    } finally {
      this.#next();
    }
  }

  #turn(peer: string): boolean | Promise<boolean> {
    const queue = this.#queues.get(peer) ?? [];
    if (queue.length >= MAX_WAITING_PER_PEER) return false;
    if (this.#waiting >= MAX_WAITING_GUESSES && !this.#makeRoom(queue.length)) return false;
    return new Promise((resolve) => {
      queue.push({ start: () => resolve(true), refuse: () => resolve(false) });
      this.#queues.set(peer, queue);
      this.#waiting++;
    });
  }

  /** Refuses the newest guess of the peer that has most waiting, if those are more than the newcomer would have. */
  #makeRoom(newcomers: number): boolean {
    let longest: Waiting[] = [];
    for (const queue of this.#queues.values()) if (queue.length > longest.length) longest = queue;
    if (longest.length <= newcomers + 1) return false;
    longest.pop()?.refuse();
    this.#waiting--;
    return true;
  }

  // The place of whoever ended goes on to the next, so that it is never free in between.
  #next(): void {
    const first = this.#queues.entries().next();
    if (first.done === true) {
      this.#running--;
      return;
    }
    const [peer, queue] = first.value;
    const turn = queue.shift();
    this.#queues.delete(peer);
    if (queue.length > 0) this.#queues.set(peer, queue);
    this.#waiting--;
    turn?.start();
  }
}
