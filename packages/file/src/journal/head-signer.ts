import type { KeyObject } from 'node:crypto';
import type { HeadFile } from './head-file.js';
import type { JournalSettings, JournalWarning } from './journal-options.js';
import type { ChainTip } from './open-segment.js';
import { type SignedHead, signHead } from './signed-head.js';

const SINK_TIMEOUT_MS = 5000;

/** Signs what is on the disk and hands it on: to the heads file, and to whoever keeps heads elsewhere. */
export class HeadSigner {
  readonly #settings: JournalSettings;
  readonly #chain: string;
  readonly #privateKey: KeyObject;
  readonly #file: HeadFile;
  #signedSeq = 0;
  /** One after the other: the heads file has one writer. */
  #signing: Promise<void> = Promise.resolve();
  #handing: Promise<void> | undefined;
  /** The latest head the sink has not been given: one covers all before it. */
  #waiting: SignedHead | undefined;
  #failing = false;

  constructor(settings: JournalSettings, chain: string, privateKey: KeyObject, file: HeadFile) {
    this.#settings = settings;
    this.#chain = chain;
    this.#privateKey = privateKey;
    this.#file = file;
  }

  /** Signs `tip`, which must be on the disk, unless a head covers it. A fault is a warning: the next head covers it. */
  sign(tip: ChainTip): Promise<void> {
    this.#signing = this.#signing.then(() => this.#sign(tip));
    return this.#signing;
  }

  async #sign(tip: ChainTip): Promise<void> {
    if (tip.seq <= this.#signedSeq) return;
    const head = signHead({ chain: this.#chain, ...tip }, this.#settings.clock.now(), this.#privateKey);
    this.#waiting = head;
    this.#handOn();
    try {
      await this.#file.append(head);
      this.#signedSeq = tip.seq;
      if (this.#failing) this.#warn('recovered', 'the heads of the journal are written again');
      this.#failing = false;
    } catch (cause) {
      if (!this.#failing) this.#warn('head_failed', 'a signed head of the journal could not be written', cause);
      this.#failing = true;
    }
  }

  /** Waits, not for ever, until the sink has the last head. */
  async close(): Promise<void> {
    if (this.#handing === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SINK_TIMEOUT_MS);
    });
    await Promise.race([this.#handing, late]);
    clearTimeout(timer);
  }

  #handOn(): void {
    const { headSink } = this.#settings;
    if (headSink === undefined || this.#handing !== undefined) return;
    this.#handing = this.#handAll(headSink).finally(() => {
      this.#handing = undefined;
      if (this.#waiting !== undefined) this.#handOn();
    });
  }

  async #handAll(headSink: NonNullable<JournalSettings['headSink']>): Promise<void> {
    while (this.#waiting !== undefined) {
      const head = this.#waiting;
      this.#waiting = undefined;
      try {
        await headSink(head);
      } catch (cause) {
        this.#warn('head_sink_failed', 'a signed head was not taken; the next one covers it', cause);
      }
    }
  }

  #warn(code: JournalWarning['code'], message: string, cause?: unknown): void {
    this.#settings.onWarning({ code, message, cause });
  }
}
