import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configurationJsonSchema, configurationReference } from './configuration-documents.js';

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SCHEMA = file('packages/server/caracal.schema.json');
const REFERENCE = file('docs/configuration.md');
const MARK = '<!-- Everything below is generated from the schema: pnpm documents -->\n';

/** `pnpm documents` writes what is compared otherwise. */
function generated(path: string, text: string, before: string): void {
  if (process.env.WRITE_DOCUMENTS === '1') writeFileSync(path, before + text);
  expect(readFileSync(path, 'utf8')).toBe(before + text);
}

describe('what is generated from the schema of the configuration', () => {
  it('is the JSON Schema for editors', () => {
    generated(SCHEMA, configurationJsonSchema(), '');
  });

  it('is the reference', () => {
    const [head] = readFileSync(REFERENCE, 'utf8').split(MARK);
    generated(REFERENCE, configurationReference(), head + MARK);
  });
});
