import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Beside the test, so that the packages it imports are found; git does not look at it.
const scratch = fileURLToPath(new URL('.blocks', import.meta.url));

/** The block of code in `language` below a heading of a document, as it is printed. */
export function documentedBlock(document: string, heading: string, language = 'ts'): string {
  const text = readFileSync(`${root}${document}`, 'utf8');
  const start = text.search(new RegExp(`^#+ ${heading.replace(/[/.*+?^$()[\]{}|\\]/g, '\\$&')}$`, 'm'));
  if (start === -1) throw new Error(`${document} has no heading "${heading}"`);
  const block = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(text.slice(start));
  if (block === null) throw new Error(`${document}: no ${language} block below "${heading}"`);
  return block[1]!;
}

/** Every heading of the second level. */
export function headings(document: string): readonly string[] {
  return [...readFileSync(`${root}${document}`, 'utf8').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
}

let count = 0;

/** Runs a block as a module of its own. @throws what it throws */
export async function runBlock(code: string): Promise<unknown> {
  mkdirSync(scratch, { recursive: true });
  count += 1;
  const path = `${scratch}/block-${process.pid}-${count}.ts`;
  writeFileSync(path, code);
  try {
    return await import(path);
  } finally {
    rmSync(path);
  }
}
