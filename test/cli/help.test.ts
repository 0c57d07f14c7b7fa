import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { caracal } from './caracal.js';

const DOCUMENT = fileURLToPath(new URL('../../docs/commands.md', import.meta.url));
const MARK = '<!-- Everything below is generated from --help: pnpm documents -->\n';

describe('caracal --help', () => {
  it('lists every command, and docs/commands.md holds the help of each', async () => {
    const { code, out, err } = await caracal(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const names = [...out.matchAll(/^ {2}caracal ((?:[a-z]+ )+) /gm)].map(([, name]) => name!.trim());
    expect(names).toEqual(expect.arrayContaining(['dev', 'serve', 'check', 'audit verify', 'keys new']));
    const sections: string[] = [];
    for (const name of names) {
      const help = await caracal([...name.split(' '), '--help']);
      expect({ code: help.code, err: help.err }, name).toEqual({ code: 0, err: '' });
      expect(help.out, name).toMatch(new RegExp(`^caracal ${name}: .+\n\nusage: caracal ${name} `));
      // What the list says of it is what it says of itself.
      expect(out, name).toContain(/^caracal [a-z ]+: (.*)\n/.exec(help.out)![1]);
      expect(help.out.split('\n').filter((line) => line.length > 140)).toEqual([]);
      sections.push(`## caracal ${name}\n\n\`\`\`text\n${help.out}\`\`\`\n`);
    }
    const [head] = readFileSync(DOCUMENT, 'utf8').split(MARK);
    const document = `${head}${MARK}\n\`\`\`text\n${out}\`\`\`\n\n${sections.join('\n')}`;
    if (process.env.WRITE_DOCUMENTS === '1') writeFileSync(DOCUMENT, document);
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(document);
  });

  it('is the same however it is asked for', async () => {
    const { out } = await caracal(['audit', 'verify', '--help']);
    expect((await caracal(['help', 'audit', 'verify'])).out).toBe(out);
    expect((await caracal(['audit', 'verify', '--help', '--json'])).out).toBe(out);
    expect((await caracal(['audit', '--help'])).out).toMatch(/^caracal audit: one of these\n/);
  });
});

describe('what is no command', () => {
  it.each([
    [[], 'a command is missing; see: caracal --help'],
    [['chekc'], 'unknown command chekc; did you mean caracal check?'],
    [['audit'], 'a command is missing; see: caracal audit --help'],
    [['--verson'], 'unknown option --verson; did you mean --version?'],
    [['check', '--ofline'], 'unknown option --ofline; did you mean --offline?'],
    [['check', '--config'], '--config needs a value: --config FILE'],
    [['\x1b[2J'], 'unknown command \\u001b[2J'],
  ])('%j: %s', async (args, fault) => {
    const { code, out, err } = await caracal(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n')[0]).toBe(`caracal: ${fault}`);
    const json = await caracal(args.length === 2 ? [args[0]!, '--json', args[1]!] : [...args, '--json']);
    expect(json.code).toBe(2);
    expect(json.errors()[0]).toEqual({ level: 'error', message: fault.replaceAll('\\u001b', '\x1b') });
  });

  it('knows the commands of a group', async () => {
    const { code, err } = await caracal(['audit', 'qurey']);
    expect(code).toBe(2);
    expect(err).toBe(
      'caracal: unknown command qurey; did you mean caracal audit query?\ncaracal: see: caracal audit --help\n',
    );
  });

  it('prints its version', async () => {
    expect((await caracal(['--version'])).out).toBe('0.1.0\n');
    expect((await caracal(['--version', '--json'])).objects()).toEqual([{ version: '0.1.0' }]);
  });

  it('makes keys that sealing takes', async () => {
    const [a, b] = [await caracal(['keys', 'new']), await caracal(['keys', 'new', '--json'])];
    expect(a.out).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    expect(b.objects()[0].key).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(b.objects()[0].key).not.toBe(a.out.trim());
  });
});
