import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it('loads OpenTelemetry with its own entry alone, and of jose the parts that are used', async () => {
  const built = (name: string) => readFile(new URL(`../../packages/core/dist/${name}.js`, import.meta.url), 'utf8');
  const index = await built('index');
  expect(index).not.toMatch(/from ["']@opentelemetry/);
  expect(index).not.toMatch(/from ["']jose["']/);
  expect(index).toMatch(/from ["']jose\//);
  expect(await built('opentelemetry')).toMatch(/from ["']@opentelemetry\/api["']/);
});
