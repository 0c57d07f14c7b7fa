import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppendLog, MAX_WAITING_APPENDS } from './append-log.js';
import { FaultyDisk } from './faulty-disk.fixture.js';
import { DamagedLine, encodeLines, headerOf, LineReader, START } from './log-format.js';

let directory: string;
let path: string;
let disk: FaultyDisk;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-log-'));
  path = join(directory, 'x.log');
  disk = new FaultyDisk();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const options = () => ({ path, kind: 'letters', disk });

async function reopened(): Promise<{ payloads: string[]; tornBytes: number }> {
  const payloads: string[] = [];
  const opened = await AppendLog.open(options(), (payload) => void payloads.push(payload));
  await opened!.log.close();
  return { payloads, tornBytes: opened!.tornBytes };
}

describe('AppendLog', () => {
  it('keeps what was appended, in order, in a file for its owner alone', async () => {
    const log = await AppendLog.create(options(), ['"a"']);
    await log.append('"b"');
    await Promise.all([log.append('"c"'), log.append('"\u{1f511}"')]);
    await log.close();
    expect(await reopened()).toEqual({ payloads: ['"a"', '"b"', '"c"', '"\u{1f511}"'], tornBytes: 0 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('writes and syncs once for all that come while the disk works', async () => {
    const log = await AppendLog.create(options());
    let open = () => {};
    disk.gate = new Promise((resolve) => {
      open = resolve;
    });
    const before = disk.syncs;
    const appends = Array.from({ length: 50 }, (_, index) => log.append(`${index}`));
    open();
    await Promise.all(appends);
    expect(disk.syncs - before).toBe(2);
    await log.close();
  });

  it('goes on where the disk takes few bytes at once', async () => {
    const log = await AppendLog.create(options());
    disk.appetite = 3;
    await log.append('"a long line"');
    await log.close();
    expect((await reopened()).payloads).toEqual(['"a long line"']);
  });

  it('rejects what a full disk did not take, leaves no half line, and goes on by itself', async () => {
    const log = await AppendLog.create(options());
    await log.append('"before"');
    disk.full = true;
    await expect(log.append('"lost"')).rejects.toThrow('no space');
    disk.full = false;
    await log.append('"after"');
    await log.close();
    expect(await reopened()).toEqual({ payloads: ['"before"', '"after"'], tornBytes: 0 });
  });

  it('rejects what was not synced, and removes it before it writes again', async () => {
    const log = await AppendLog.create(options());
    disk.failingSync = true;
    await expect(log.append('"unsure"')).rejects.toThrow('input/output');
    disk.failingSync = false;
    await log.append('"sure"');
    await log.close();
    expect((await reopened()).payloads).toEqual(['"sure"']);
  });

  it('lets a bounded number wait', async () => {
    const log = await AppendLog.create(options());
    const first = log.append('0'); // is being written: does not wait
    const appends = Array.from({ length: MAX_WAITING_APPENDS }, () => log.append('1'));
    await expect(log.append('2')).rejects.toThrow('too many');
    await Promise.all([first, ...appends]);
    await log.close();
  });

  it('writes what waits before it closes, and takes nothing after', async () => {
    const log = await AppendLog.create(options());
    const appends = [log.append('1'), log.append('2')];
    await Promise.all([log.close(), log.close()]);
    await Promise.all(appends);
    await expect(log.append('3')).rejects.toThrow('closed');
    expect((await reopened()).payloads).toEqual(['1', '2']);
  });

  it('is written anew when that is due, with what came meanwhile after it', async () => {
    const rewriting = { due: (lines: number) => lines > 10, payloads: () => ['"all"'], failed: () => {} };
    const log = await AppendLog.create(options(), [], rewriting);
    for (let index = 0; index < 9; index++) await log.append(`${index}`);
    await Promise.all([log.append('"due"'), log.append('"later"')]);
    await log.close();
    expect((await reopened()).payloads).toEqual(['"all"', '"later"']);
  });

  it('stays as it is where it cannot be written anew, and says so once until it has doubled', async () => {
    let failures = 0;
    const payloads = function* (): Generator<string> {
      disk.full = true;
      yield '"all"';
    };
    const failed = () => {
      disk.full = false;
      failures += 1;
    };
    const log = await AppendLog.create(options(), [], { due: (lines) => lines > 5, payloads, failed });
    for (let index = 0; index < 10; index++) await log.append(`${index}`);
    await log.close();
    expect(failures).toBe(1);
    expect((await reopened()).payloads).toHaveLength(10);
  });

  it('refuses a file of another kind, and one without a header', async () => {
    await (await AppendLog.create({ ...options(), kind: 'numbers' })).close();
    await expect(reopened()).rejects.toThrow('line 1 is not the header of a log of letters');
    await writeFile(path, '');
    await expect(reopened()).rejects.toThrow('line 1 is missing');
  });

  it('reads back a log that is larger than what is read at once', async () => {
    const payloads = Array.from({ length: 5_000 }, (_, index) => JSON.stringify(`${index} ${'x'.repeat(200)}`));
    await (await AppendLog.create(options(), payloads)).close();
    expect((await reopened()).payloads).toEqual(payloads);
  });

  it('opens at whatever byte a write was cut off, with every line before it', async () => {
    const log = await AppendLog.create(options());
    for (const payload of ['"one"', '"two"', '"three"']) await log.append(payload);
    await log.close();
    const whole = await readFile(path);
    const header = whole.indexOf(0x0a) + 1;
    for (let cut = header; cut < whole.length; cut++) {
      await writeFile(path, whole.subarray(0, cut));
      const lines = whole.subarray(header, cut).toString().split('\n');
      const { payloads, tornBytes } = await reopened();
      expect(payloads).toEqual(['"one"', '"two"', '"three"'].slice(0, lines.length - 1));
      expect(tornBytes).toBe(lines.at(-1)!.length);
      expect(await reopened()).toEqual({ payloads, tornBytes: 0 });
    }
  });
});

describe('the format of a log', () => {
  const read = (bytes: Uint8Array, pieces = bytes.length): string[] => {
    const payloads: string[] = [];
    const reader = new LineReader((payload) => void payloads.push(payload));
    for (let at = 0; at < bytes.length; at += pieces) reader.read(bytes.subarray(at, at + pieces));
    return payloads;
  };
  const jsonTexts = fc.array(
    fc.json().map((text) => JSON.stringify(JSON.parse(text))),
    { minLength: 2, maxLength: 8 },
  );

  it('gives back what was written, in pieces of any size', () => {
    fc.assert(
      fc.property(jsonTexts, fc.integer({ min: 1, max: 50 }), (payloads, pieces) => {
        expect(read(encodeLines(payloads, START).bytes, pieces)).toEqual(payloads);
      }),
      { numRuns: 200 },
    );
  });

  it('finds every changed byte, dropped line and swapped line that is followed by another', () => {
    const payloads = [headerOf('letters'), '"a"', '"b"', '"c"', '"d"'];
    const { bytes } = encodeLines(payloads, START);
    const lines = bytes.toString().trimEnd().split('\n');
    const last = bytes.length - lines.at(-1)!.length - 1;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: last - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        expect(() => read(changed)).toThrow(DamagedLine);
      }),
      { numRuns: 500 },
    );
    const text = (kept: readonly (string | undefined)[]) => Buffer.from(`${kept.join('\n')}\n`);
    expect(() => read(text(lines.toSpliced(2, 1)))).toThrow('line 3 does not fit');
    expect(() => read(text([lines[0], lines[2], lines[1], ...lines.slice(3)]))).toThrow('line 2 does not fit');
    expect(() => read(text([...lines, lines[4]]))).toThrow('line 6 does not fit');
  });
});
