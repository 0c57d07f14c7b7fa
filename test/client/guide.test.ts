import { readFileSync } from 'node:fs';
import * as caracal from '@caracal/client';
import { startTestGateway } from '@caracal/testkit/gateway';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { agentEnvironment } from './agent-environment.js';
import { runBlock } from './documented-blocks.js';

const guide = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8');

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the guide of the client', () => {
  it('shows code that runs', async () => {
    const [first, second] = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
    const gateway = await startTestGateway({
      resources: [{ identifier: 'resource://billing-api', scopes: ['billing:read'] }],
    });
    agentEnvironment(gateway.profile);
    const shown = await runBlock(`${first}${second}export { invoice, url, headers };\n`);
    const { invoice, url, headers } = shown as { invoice: Response; url: string; headers: Record<string, string> };
    expect(invoice.status).toBe(200);
    expect((await fetch(url, { headers })).status).toBe(200);
    expect(gateway.calls.map((call) => call.url)).toEqual(['/v1/invoices/42', '/v1/invoices/42']);
    await gateway.close();
  });

  it('lists every class of error', () => {
    const classes = Object.keys(caracal).filter((name) => name.endsWith('Error') && name !== 'CaracalError');
    expect(classes).toHaveLength(9);
    for (const name of classes) expect(guide, name).toContain(`| \`${name}\``);
  });
});
