import type { KeyRing } from './key-ring.js';

/** How often the age of the signing key is looked at, ms. */
export const ROTATION_INTERVAL_MS = 3_600_000;

/** What a schedule is made with. */
export interface KeyRotationOptions {
  readonly keys: KeyRing;
  /** Age at which a key is followed by another, s. */
  readonly afterSeconds: number;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Told where the store did not take a new key; it is tried again. */
  readonly onFault: (cause: unknown) => void;
}

/** Rotates keys by their age, which survives restarts with them. */
export class KeyRotation {
  readonly #options: KeyRotationOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
  }

  /** Rotates where it is due, and looks again within the hour. */
  async run(): Promise<void> {
    const { keys, afterSeconds, now, onFault } = this.#options;
    if (now() / 1000 - keys.signsSince >= afterSeconds) await keys.rotate().catch(onFault);
    if (this.#stopped) return;
    const timer = setTimeout(() => void this.run(), ROTATION_INTERVAL_MS); // tells its own faults
    // A number elsewhere than under Node.
    if (typeof timer === 'object') timer.unref();
    this.#timer = timer;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
