import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockDirectory } from '@caracal/file';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const runner = fileURLToPath(new URL('run-demo.mjs', import.meta.url));

describe('the demo', () => {
  let directory: string;
  let child: ChildProcessWithoutNullStreams | undefined;
  let ended: Promise<number | null>;
  let out: string;
  let err: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'caracal-demo-'));
  });
  afterEach(async () => {
    if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  function start(...args: string[]) {
    out = '';
    err = '';
    const started = spawn(process.execPath, [runner, ...args], { cwd: directory });
    started.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child = started;
    ended = once(started, 'close').then(([code]) => code as number | null);
    return ended;
  }

  async function printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(out);
      if (match !== null) return match;
      if (child!.exitCode !== null) throw new Error(`the demo ended without ${pattern}: ${out}${err}`);
      await Promise.race([once(child!.stdout, 'data'), ended]);
    }
  }

  it('prints its options', async () => {
    expect(await start('--help')).toBe(0);
    expect(out).toMatch(/^usage: .*\n {2}--once .*\n {2}--help .*\n$/);
    expect(err).toBe('');
  });

  it('refuses an option it does not know', async () => {
    expect(await start('--bogus')).toBe(2);
    expect(err).toMatch(/^unknown option --bogus\nusage: /);
    expect(out).toBe('');
  });

  it('says in one line that another one is running', async () => {
    const lock = await lockDirectory(join(directory, '.caracal', 'audit'));
    expect(await start()).toBe(1);
    await lock.release();
    expect(err).toMatch(/^\S*audit is in use by a running process; .*\n$/);
  });

  it('prints a call that works, shows its evidence, and ends on SIGTERM', async () => {
    void start();
    const [, url, resource, authorization] = await printed(
      /curl (\S+) \\\n {2}-H 'X-Caracal-Resource: (\S+)' \\\n {2}-H 'Authorization: (Bearer \S+)'\n/,
    );
    await printed(/Evidence of each call, as it happens:\n/);
    const answer = await fetch(url!, {
      headers: { 'X-Caracal-Resource': resource!, Authorization: authorization! },
    });
    expect(answer.status).toBe(200);
    await answer.text();
    await printed(/as it happens:\n[\s\S]*\/v1\/invoices\/42[^\n]*\n/);
    child!.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(out).toMatch(/^note: the audit signing key lies beside the records[^\n]*\ngateway on http/);
    expect(err).toBe('');
  });
});
