import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunningCommand, caracal as run } from './caracal.js';

let directory: string;
let dev: RunningCommand | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-dev-'));
});

afterEach(async () => {
  await dev?.stop('SIGKILL');
  dev = undefined;
  await rm(directory, { recursive: true });
});

const caracal = (...args: string[]) => run(args, { cwd: directory });

function startDev(...args: string[]): RunningCommand {
  dev = new RunningCommand(['dev', '--port', '0', ...args], { cwd: directory });
  return dev;
}

describe('caracal dev', () => {
  it('with --once makes five checks and ends with their result', async () => {
    const { code, out, err } = await caracal('dev', '--once', '--port', '0');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.match(/^✓/gm)).toHaveLength(5);
    expect(out).toMatch(/\nready: all five checks passed\n$/);
    const again = await caracal('dev', '--once', '--port', '0', '--json');
    expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: '' });
    const objects = again.objects();
    expect(objects.filter(({ event }) => event === 'listening').map(({ name }) => name)).toEqual([
      'gateway',
      'tokenService',
      'admin',
      'upstream',
    ]);
    expect(objects.filter(({ result }) => result === 'passed')).toHaveLength(5);
    expect(objects.at(-1)).toEqual({ event: 'ready', failures: 0 });
  });

  it('prints a call that works and its evidence; other commands work beside it; SIGTERM ends it', async () => {
    const running = startDev();
    const [, url, resource, authorization] = await running.printed(
      /curl (\S+) \\\n {2}-H 'X-Caracal-Resource: (\S+)' \\\n {2}-H 'Authorization: (Bearer \S+)'\n/,
    );
    await running.printed(/Evidence of each call/);
    const call = () => fetch(url!, { headers: { 'X-Caracal-Resource': resource!, Authorization: authorization! } });
    const answer = await call();
    expect([answer.status, await answer.json()]).toEqual([200, { invoice: '42', amount: 4200, currency: 'EUR' }]);
    await running.printed(/ends:\n[\s\S]*request\.completed .*200 executed/);

    expect((await caracal('check')).code).toBe(0);
    const mandate = await caracal('mandate', '--resource', resource!);
    expect(mandate.code).toBe(0);
    expect((await caracal('revoke', '--application', 'billing-agent')).code).toBe(0);
    expect((await call()).headers.get('x-caracal-error')).toBe('session_revoked');
    expect((await caracal('revoke', '--application', 'billing-agent', '--lift')).code).toBe(0);
    expect((await caracal('audit', 'query', '--decision', 'denied')).out).toContain('session_revoked');
    expect((await caracal('audit', 'verify')).code).toBe(0);

    const second = await caracal('dev', '--once', '--port', '0');
    expect({ code: second.code, out: second.out }).toEqual({ code: 1, out: '' });
    expect(second.err).toMatch(/^caracal: \S+dev is in use by another caracal dev; .*\n$/);

    expect(await running.stop('SIGTERM')).toBe(0);
    expect(running.err).toBe('');
  });

  it('keeps what it writes from everybody else', async () => {
    expect((await caracal('dev', '--once', '--port', '0')).code).toBe(0);
    const state = join(directory, '.caracal', 'dev');
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(join(state, 'secrets'))) {
      expect((await stat(join(state, 'secrets', name))).mode & 0o777, name).toBe(0o600);
    }
  });

  it('takes other ports where one of its own is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, out } = await caracal('dev', '--once', '--port', String(Math.min(port, 65_532)));
    taken.close();
    expect(code).toBe(0);
    expect(out).not.toContain(`:${port} `);
  });

  it('ends when nobody reads what it prints', async () => {
    const running = startDev();
    await running.printed(/Evidence of each call/);
    const [, url] = /curl (\S+)/.exec(running.out)!;
    running.child.stdout.destroy();
    // The next line of evidence finds the pipe closed.
    while (running.child.exitCode === null && running.child.signalCode === null) {
      await fetch(url!).then(
        (answer) => answer.arrayBuffer(),
        () => {},
      );
      await Promise.race([running.ended, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    expect(await running.ended).toBe(0);
    expect(running.err).toBe('');
  });

  it('says in a line what is in its way', async () => {
    await writeFile(join(directory, '.caracal'), 'a file');
    const { code, out, err } = await caracal('dev', '--once', '--port', '0');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^caracal: \S+\.caracal\/dev\S*: a part of the path is no directory; check the path\n$/);
    for (const [args, fault] of [
      [['--port', '70000'], '--port is a number from 0 to 65532'],
      [['--onec'], 'unknown option --onec; did you mean --once?'],
      [['now'], 'now is one argument too many'],
    ] as const) {
      const ran = await caracal('dev', ...args);
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: '' });
      expect(ran.err).toContain(fault);
    }
  });
});
