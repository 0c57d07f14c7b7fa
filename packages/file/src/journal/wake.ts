import { watch } from 'node:fs';

/** Lets readers sleep until there may be more to read. */
export interface Wake {
  /** Resolves after the next change, after `atMostMs`, or when the signal is aborted. */
  next(atMostMs: number, signal: AbortSignal | undefined): Promise<void>;
  /** Changes seen so far: ask before reading, so that a change while reading is not slept through. */
  readonly count: number;
  /** No more changes will come: what is there is read, and then reading ends. */
  readonly closed: boolean;
  close(): void;
}

/** A wake that its owner rings. */
export class Bell implements Wake {
  readonly #sleepers = new Set<() => void>();
  #count = 0;
  #closed = false;

  get count(): number {
    return this.#count;
  }

  get closed(): boolean {
    return this.#closed;
  }

  ring(): void {
    this.#count++;
    for (const wake of this.#sleepers) wake();
  }

  next(atMostMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, atMostMs);
      this.#sleepers.add(wake);
      signal?.addEventListener('abort', wake);
      if (signal?.aborted) wake();
    });
  }

  close(): void {
    this.#closed = true;
    this.ring();
  }
}

/** A wake that rings when a file of the directory changes, for readers in another process. */
export function watchDirectory(directory: string): Wake {
  const bell = new Bell();
  const watcher = watch(directory, { persistent: false }, () => bell.ring());
  watcher.on('error', () => {}); // without notices readers look again after `atMostMs`
  return {
    get count() {
      return bell.count;
    },
    get closed() {
      return bell.closed;
    },
    next: (atMostMs, signal) => bell.next(atMostMs, signal),
    close: () => {
      watcher.close();
      bell.close();
    },
  };
}

/** A wake that lets changes gather for `gatherMs` before each reading: many small ones are then one. */
export function gatheringWake(wake: Wake, gatherMs: number): Wake {
  const resting = new Bell();
  let seen = -1;
  return {
    // Always the same: a reader then always asks `next`, which knows what was seen.
    count: 0,
    get closed() {
      return wake.closed;
    },
    next: async (atMostMs, signal) => {
      if (wake.count === seen) await wake.next(atMostMs, signal);
      if (!wake.closed) await resting.next(gatherMs, signal);
      seen = wake.count;
    },
    close: () => {
      resting.close();
      wake.close();
    },
  };
}
