import process from 'node:process';
import { createInterface } from 'node:readline';
import type { StartedSubject, StartSubject, SubjectConfig } from '../subject.js';
import type { SubjectOrder, SubjectReport } from './subject-protocol.js';

/**
 * The child's half of `childSubject`: reads the configuration from standard input, starts the gateway, and obeys until
 * it is told to close or its parent goes away. Runs under Node, Deno and Bun.
 */
export async function serveSubject(start: StartSubject): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) throw new Error('no configuration on standard input');
  const subject = await start(JSON.parse(first.value) as SubjectConfig, (record) => report({ record }));
  report({ listening: subject.port });
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    if (!(await obey(subject, JSON.parse(line.value) as SubjectOrder))) break;
  }
  await subject.close();
  // Some runtimes keep a process alive for an open standard input.
  process.exit(0);
}

async function obey(subject: StartedSubject, order: SubjectOrder): Promise<boolean> {
  if ('close' in order) return false;
  await subject.revoke(order.revoke);
  report({ revoked: true });
  return true;
}

function report(message: SubjectReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
