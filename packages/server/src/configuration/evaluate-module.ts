import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ConfigurationError } from './problem.js';

/** How long a module may take to say what it exports, ms. */
export const MODULE_TIMEOUT_MS = 10_000;

// The source of the thread: nothing of ours is loaded there.
const EVALUATE = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData).then((module) => module.default).then(
  (value) => {
    try { parentPort.postMessage({ value }); } catch { parentPort.postMessage({ fault: 'not_data' }); }
  },
  (cause) => parentPort.postMessage({ fault: cause instanceof Error ? cause.name : 'error' }),
);`;

/**
 * The default export of a module (or what its promise resolves to), evaluated in a thread of its own: each load sees the
 * module and what it imports as they are now, and what was loaded before is freed with its thread.
 *
 * @throws ConfigurationError where it cannot be evaluated in time, or exports more than data
 */
export async function evaluateModule(file: string): Promise<unknown> {
  const worker = new Worker(EVALUATE, { eval: true, workerData: pathToFileURL(file).href });
  try {
    const { value, fault } = await answerOf(worker);
    if (fault === undefined) return value;
    throw new ConfigurationError([problemOf(fault)], file);
  } finally {
    await worker.terminate();
  }
}

interface Answer {
  readonly value?: unknown;
  readonly fault?: string;
}

function answerOf(worker: Worker): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ fault: 'timeout' }), MODULE_TIMEOUT_MS);
    const answer = (value: Answer): void => {
      clearTimeout(timer);
      resolve(value);
    };
    worker.once('message', answer);
    worker.once('error', (cause: unknown) => answer({ fault: cause instanceof Error ? cause.name : 'error' }));
    worker.once('exit', () => answer({ fault: 'exit' }));
  });
}

function problemOf(fault: string) {
  if (fault === 'not_data') {
    return {
      path: '',
      fault: 'exports more than data',
      remedy: 'leave functions and class instances out of the default export; keep secrets as { env } or { file }',
    };
  }
  if (fault === 'timeout') {
    return { path: '', fault: 'did not say what it exports in time', remedy: 'make it end within 10 seconds' };
  }
  return { path: '', fault: `cannot be evaluated (${fault})`, remedy: 'run it with node to see why' };
}
