import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Anchor } from '@caracal/core';
import type { Subject, SubjectConfig } from '../subject.js';
import { within } from './deadline.js';
import { RecordBook } from './record-book.js';
import { parseReport } from './subject-protocol.js';

/** Options of {@link childSubject}. */
export interface ChildSubjectOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long the child may take until it listens, ms. Default 20,000: some runtimes compile first. */
  readonly startTimeoutMs?: number;
}

/** A gateway in a process of its own. */
export interface ChildSubject extends Subject {
  /** Of the process, for whoever watches what it costs. */
  readonly pid: number;
}

/** How long a child may take to close before it is killed, ms. */
export const CHILD_CLOSE_DEADLINE_MS = 5_000;

const MAX_OUTPUT_CHARACTERS = 1_000_000;

/**
 * Starts a gateway in a process of its own, under any runtime; there `serveSubject` speaks the other half.
 *
 * One JSON value a line. To the child: the configuration, then `{"revoke":anchor}` and `{"close":true}`. From the child:
 * `{"listening":port}`, `{"record":{...}}`, and `{"revoked":true}` for each revocation in force. Any other line counts
 * as output.
 */
export async function childSubject(
  command: readonly string[],
  config: SubjectConfig,
  options: ChildSubjectOptions = {},
): Promise<ChildSubject> {
  const [program, ...args] = command;
  if (program === undefined) throw new TypeError('childSubject: command is empty; name a program and its arguments');
  const child = spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: 'pipe' });
  const conversation = converse(child);
  conversation.tell(config);
  try {
    const port = await within(conversation.listening, options.startTimeoutMs ?? 20_000, `${program} to listen`);
    // A process that reports has an id.
    return { port, pid: child.pid!, ...conversation.subject };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${command.join(' ')} did not start: ${conversation.subject.output().slice(-2_000)}`, {
      cause: error,
    });
  }
}

function converse(child: ChildProcessWithoutNullStreams): {
  readonly listening: Promise<number>;
  readonly subject: Omit<Subject, 'port'>;
  tell(message: unknown): void;
} {
  const book = new RecordBook();
  const revoked: (() => void)[] = [];
  let output = '';
  const keep = (text: string): void => {
    output = (output + text).slice(-MAX_OUTPUT_CHARACTERS);
  };
  const tell = (message: unknown): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  // A child that has gone cannot be told anything; its exit is what gets reported.
  child.stdin.on('error', () => {});
  child.stderr.setEncoding('utf8').on('data', keep);

  const listening = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`exited with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const report = parseReport(line);
      if (report === undefined) keep(`${line}\n`);
      else if ('listening' in report) resolve(report.listening);
      else if ('record' in report) book.add(report.record);
      else revoked.shift()?.();
    });
  });
  // Awaited by whoever starts the child; after that a rejection only says that the child has ended.
  listening.catch(() => {});

  const revoke = (anchor: Anchor): Promise<void> => {
    const inForce = new Promise<void>((resolve) => {
      revoked.push(resolve);
    });
    tell({ revoke: anchor });
    return within(inForce, 3_000, 'the revocation');
  };
  const close = async (): Promise<void> => {
    tell({ close: true });
    try {
      await within(exited, CHILD_CLOSE_DEADLINE_MS, 'the child to exit');
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  };
  return {
    listening,
    tell,
    subject: {
      records: (requestId) => book.of(requestId),
      allRecords: () => book.all,
      output: () => output,
      revoke,
      close,
    },
  };
}
