import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DEFAULT_LIMITS, type ErrorCode, GATEWAY_DEFAULTS, STATUS_OF_CODE, STATUS_OF_REASON } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { gapsOf, gapTable } from '../runtimes/gaps.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('the documents', () => {
  it('README shows the example as it is', () => {
    const [, shown] = /```ts\n([\s\S]*?)```/.exec(read('README.md'))!;
    expect(shown).toBe(read('docs/examples/first-gateway.ts'));
  });

  it('errors.md has every code with every status it is answered with', () => {
    const rows = read('docs/errors.md')
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .filter(([, code]) => code?.startsWith('`'));
    const statusesOf = (code: string) =>
      rows
        .filter((row) => row[1] === `\`${code}\``)
        .map((row) => row[2])
        .join();
    for (const code of Object.keys(STATUS_OF_CODE) as ErrorCode[]) {
      expect(statusesOf(code), code).toContain(String(STATUS_OF_CODE[code]));
    }
    for (const status of Object.values(STATUS_OF_REASON))
      expect(statusesOf('invalid_request')).toContain(String(status));
  });

  it('embedding.md names every option of a gateway with its default', () => {
    const text = read('docs/embedding.md');
    for (const [name, value] of Object.entries(GATEWAY_DEFAULTS)) {
      const row = text
        .split('\n')
        .find((line) => line.startsWith(`| \`${name === 'durability' || name === 'room' ? 'audit.' : ''}${name}\``));
      expect(row, name).toContain(typeof value === 'number' ? value.toLocaleString('en') : value);
    }
  });

  it('resource.md has every limit of a resource with its default', () => {
    const text = read('docs/reference/resource.md');
    for (const [name, value] of Object.entries(DEFAULT_LIMITS)) {
      expect(text, name).toContain(`| \`${name}\` | ${value.toLocaleString('en')} |`);
    }
  });

  it('embedding.md shows the example of services that enforce by themselves as it is', () => {
    expect(read('docs/embedding.md')).toContain(read('docs/examples/protect.ts'));
  });

  it('adapters.md has the table of declared gaps', () => {
    expect(read('docs/adapters.md')).toContain(gapTable());
  });

  it('no gap is declared twice: a second reason would hide the first', () => {
    const again = { gap: 'again', instead: '', why: '', cases: { koa: ['passes a body of GET'] } };
    expect(() => gapsOf('koa', [again, again])).toThrow('twice');
    for (const runtime of ['node-20', 'deno', 'deno-serve', 'bun', 'koa', 'express', 'fastify', 'hono']) {
      expect(Object.keys(gapsOf(runtime)).length).toBeGreaterThan(0);
    }
  });

  it('adapters.md shows the examples of the adapters as they are', () => {
    const text = read('docs/adapters.md');
    for (const name of ['koa', 'express', 'fastify', 'hono', 'bun', 'deno-serve']) {
      const example = read(`docs/examples/adapters/${name}.ts`);
      const { 1: shown } = /```ts\n([\s\S]*?)```/.exec(text.slice(text.indexOf(`(examples/adapters/${name}.ts)`)))!;
      // Declarations that stand in for a runtime's own types are left out.
      expect(example.replace(/import type \{ \w+Runtime \}.*\n/, '').replace(/declare const .*\n\n/, ''), name).toBe(
        shown,
      );
    }
  });

  it('links lead to files that exist', async () => {
    const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
      cwd: root,
    });
    const broken = stdout
      .trim()
      .split('\n')
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
          .map(([, link]) => link!)
          .filter((link) => !existsSync(join(root, dirname(file), link)))
          .map((link) => `${file}: ${link}`),
      );
    expect(broken).toEqual([]);
  });
});
