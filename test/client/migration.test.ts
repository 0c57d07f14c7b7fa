import { readFileSync } from 'node:fs';
import { configurationProblems } from '@caracal/server';
import { describe, expect, it } from 'vitest';

const document = readFileSync(new URL('../../docs/migration.md', import.meta.url), 'utf8');
const configurations = [...document.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);

describe('the notes on migration', () => {
  it('have configurations', () => expect(configurations.length).toBeGreaterThan(1));

  it.each(configurations)('show a configuration that is in order: %s', (text) => {
    expect(configurationProblems(JSON.parse(text))).toEqual([]);
  });
});
