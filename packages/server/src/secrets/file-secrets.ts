import { stat } from 'node:fs/promises';
import { CaracalError, Secret } from '@caracal/core';
import { SecretUnavailableError, secretOfFile } from './read-reference.js';

/** How often a file that is in use is looked at, ms. */
export const SECRET_FILE_INTERVAL_MS = 1_000;

interface Watched {
  /** What is answered now: the secret, or why there is none. */
  answer: Secret | CaracalError;
  /** Of the file when it was read; empty where it could not be. */
  stamp: string;
  /** When somebody asked last, monotonic ms. */
  askedAt: number;
}

/** A file nobody has asked for in so long is no longer looked at, ms. */
const IDLE_MS = 10 * 60_000;

/**
 * Secrets in files. Each is read when it is first asked for; from then on it is answered from memory, and a timer looks
 * whether the file has changed: no request waits for the disk. A file that can no longer be read keeps its last secret
 * for nobody: it is unavailable until it can be read again.
 */
export class FileSecrets {
  readonly #files = new Map<string, Watched>();
  readonly #reading = new Map<string, Promise<Watched>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Synchronous where the file is known. @throws CaracalError `credential_unavailable` (reason `secret_file`) */
  open(path: string): Secret | Promise<Secret> {
    const watched = this.#files.get(path);
    if (watched === undefined) return this.#first(path).then(answerOf);
    watched.askedAt = performance.now();
    return answerOf(watched);
  }

  /** Looks at every file now. */
  async refresh(): Promise<void> {
    const idle = performance.now() - IDLE_MS;
    for (const [path, watched] of this.#files) {
      if (watched.askedAt < idle) this.#files.delete(path);
      else if ((await stampOf(path)) !== watched.stamp) Object.assign(watched, await read(path, watched));
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #first(path: string): Promise<Watched> {
    let reading = this.#reading.get(path);
    if (reading === undefined) {
      reading = read(path, undefined).then((found) => {
        const watched = { ...found, askedAt: performance.now() };
        this.#reading.delete(path);
        this.#files.set(path, watched);
        this.#lookLater();
        return watched;
      });
      this.#reading.set(path, reading);
    }
    return reading;
  }

  #lookLater(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      void this.refresh().finally(() => {
        this.#timer = undefined;
        if (this.#files.size > 0) this.#lookLater();
      });
    }, SECRET_FILE_INTERVAL_MS).unref();
  }
}

function answerOf({ answer }: Watched): Secret {
  if (answer instanceof Secret) return answer;
  throw answer;
}

// The stamp is taken first: a change between the two is seen at the next look.
async function read(path: string, before: Watched | undefined): Promise<Pick<Watched, 'answer' | 'stamp'>> {
  const stamp = await stampOf(path);
  try {
    const secret = await secretOfFile(path);
    // The same object for the same text, so that credentials made of it stay.
    const same = before?.answer instanceof Secret && before.answer.reveal() === secret.reveal();
    return { answer: same ? before.answer : secret, stamp };
  } catch (cause) {
    const reason = cause instanceof SecretUnavailableError ? 'secret_file' : 'secret_file_fault';
    return { answer: new CaracalError('credential_unavailable', reason, { cause }), stamp };
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return ''; // told by reading it
  }
}
