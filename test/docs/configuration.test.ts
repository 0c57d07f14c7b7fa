import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfiguration } from '@caracal/server';
import { describe, expect, it } from 'vitest';
import { serverMetrics } from '../../packages/server/src/metrics/server-metrics.js';
import { configurationJsonSchema, configurationReference } from './configuration-documents.js';

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SCHEMA = file('packages/server/caracal.schema.json');
const REFERENCE = file('docs/configuration.md');
const MARK = '<!-- Everything below is generated from the schema: pnpm documents -->\n';

const serverMetricsText = () => serverMetrics('0').registry.text();

/** `pnpm documents` writes what is compared otherwise. */
function generated(path: string, text: string, before: string): void {
  if (process.env.WRITE_DOCUMENTS === '1') writeFileSync(path, before + text);
  expect(readFileSync(path, 'utf8')).toBe(before + text);
}

describe('the documents of the server', () => {
  it('show a configuration that is in order', async () => {
    const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(REFERENCE, 'utf8'))!;
    const directory = await mkdtemp(join(tmpdir(), 'caracal-documents-'));
    await writeFile(join(directory, 'caracal.config.yaml'), yaml!);
    const { configuration } = await loadConfiguration(undefined, { directory });
    expect(configuration.resources).toHaveLength(1);
    await rm(directory, { recursive: true });
  });

  it('deployment.md names every metric', () => {
    const text = readFileSync(file('docs/deployment.md'), 'utf8');
    const names = [...serverMetricsText().matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(text).toContain(`\`${name}\``);
  });
});

describe('what is generated from the schema of the configuration', () => {
  it('is the JSON Schema for editors', () => {
    generated(SCHEMA, configurationJsonSchema(), '');
  });

  it('is the reference', () => {
    const [head] = readFileSync(REFERENCE, 'utf8').split(MARK);
    generated(REFERENCE, configurationReference(), head + MARK);
  });
});
