import type { Writable } from 'node:stream';
import { escapeForTerminal, jsonLine } from '@caracal/core';
import type { Fault } from './command-error.js';

/**
 * Where a command writes. Nothing reaches a terminal with control characters in it; with `--json` text is silent and objects
 * speak, one a line.
 */
export class Output {
  /** `--json` was given. */
  readonly json: boolean;
  readonly #out: Writable;
  readonly #err: Writable;
  #closed = false;

  constructor(out: Writable, err: Writable, json: boolean) {
    this.#out = out;
    this.#err = err;
    this.json = json;
  }

  /** Nobody reads standard output any more: what is written goes nowhere. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Called when the reader has gone. */
  close(): void {
    this.#closed = true;
  }

  /** Text for people, one or more lines; silent with `--json`. */
  text(text = ''): Promise<void> {
    return this.json ? Promise.resolve() : this.raw(`${escapeLines(text)}\n`);
  }

  /** An object for programs; silent without `--json`. */
  object(object: unknown): Promise<void> {
    return this.json ? this.raw(`${jsonLine(object)}\n`) : Promise.resolve();
  }

  /** The same thing, to both. */
  tell(text: string, object: unknown): Promise<void> {
    return this.json ? this.object(object) : this.text(text);
  }

  /** As it is: only for what is known to be harmless. Resolves when more may be written. */
  raw(text: string): Promise<void> {
    if (this.#closed || this.#out.write(text)) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = () => {
        this.#out.off('drain', settle).off('close', settle).off('error', settle);
        resolve();
      };
      this.#out.on('drain', settle).on('close', settle).on('error', settle);
    });
  }

  /** To standard error: what is worth knowing and is no failure. */
  note(message: string): void {
    this.#err.write(this.json ? `${jsonLine({ level: 'note', message })}\n` : `note: ${escapeForTerminal(message)}\n`);
  }

  /** To standard error, a fault a line. */
  faults(faults: readonly Fault[]): void {
    for (const fault of faults) {
      const members = typeof fault === 'string' ? { message: fault } : fault;
      const text = `caracal: ${escapeForTerminal(members.message)}`;
      this.#err.write(`${this.json ? jsonLine({ level: 'error', ...members }) : text}\n`);
    }
  }
}

// Line feeds are the layout's own here: whoever puts text of others into a line has to see that it holds none.
function escapeLines(text: string): string {
  return text.split('\n').map(escapeForTerminal).join('\n');
}
