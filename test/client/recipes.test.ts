import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalOf } from '@caracal/client';
import { type FakeApi, startTestGateway, TEST_CREDENTIAL, type TestGateway } from '@caracal/testkit/gateway';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { agentEnvironment } from './agent-environment.js';
import { documentedBlock, headings, runBlock } from './documented-blocks.js';

const DOCUMENT = 'docs/recipes.md';
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});

const message = { type: 'message', id: 'm', role: 'assistant', status: 'completed' };
const openAiResponse: FakeApi = ({ url }) => ({
  status: url === '/v1/responses' || url === '/v1/chat/completions' ? 200 : 404,
  body: {
    id: 'r',
    object: url === '/v1/responses' ? 'response' : 'chat.completion',
    created_at: 1,
    model: 'gpt-5',
    status: 'completed',
    output: [{ ...message, content: [{ type: 'output_text', text: 'Hello', annotations: [] }] }],
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } }],
    usage: { input_tokens: 1, output_tokens: 1, prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
});

interface Recipe {
  readonly resource: string;
  readonly upstreamUrl: string;
  /** Plays the real API. */
  readonly api?: FakeApi;
  /** The same, where it has to be started. */
  readonly startApi?: () => Promise<FakeApi>;
  readonly printed: unknown;
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  openai: {
    resource: 'resource://openai',
    upstreamUrl: 'https://api.openai.com/v1',
    api: openAiResponse,
    printed: 'Hello',
  },
  '@anthropic-ai/sdk': {
    resource: 'resource://anthropic',
    upstreamUrl: 'https://api.anthropic.com',
    api: ({ url }) => ({
      status: url === '/v1/messages' ? 200 : 404,
      body: { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Hello' }] },
    }),
    printed: [{ type: 'text', text: 'Hello' }],
  },
  '@octokit/rest': {
    resource: 'resource://github',
    upstreamUrl: 'https://api.github.com',
    api: ({ url }) => ({ body: { full_name: url.replace('/repos/', '') } }),
    printed: 'octocat/hello-world',
  },
  '@slack/web-api': {
    resource: 'resource://slack',
    upstreamUrl: 'https://slack.com/api',
    api: ({ url, body }) => ({
      body: { ok: url === '/api/chat.postMessage', ts: '1', text: new URLSearchParams(body).get('text') },
    }),
    printed: expect.objectContaining({ ok: true, text: 'Hello' }),
  },
  stripe: {
    resource: 'resource://stripe',
    upstreamUrl: 'https://api.stripe.com',
    api: ({ body }) => ({ body: { object: 'customer', id: `cus_${new URLSearchParams(body).get('name')}` } }),
    printed: 'cus_Ada',
  },
  '@modelcontextprotocol/sdk': {
    resource: 'resource://tools',
    upstreamUrl: 'https://tools.example/mcp',
    startApi: startMcpServer,
    printed: expect.objectContaining({ content: [{ type: 'text', text: '42' }] }),
  },
  'Vercel ai': {
    resource: 'resource://openai',
    upstreamUrl: 'https://api.openai.com/v1',
    api: openAiResponse,
    printed: 'Hello',
  },
  LangChain: {
    resource: 'resource://openai',
    upstreamUrl: 'https://api.openai.com/v1',
    api: openAiResponse,
    printed: 'Hello',
  },
};

async function start({ resource, upstreamUrl, api, startApi }: Recipe, allowed: boolean): Promise<TestGateway> {
  const upstream = (await startApi?.()) ?? api ?? (() => undefined);
  const gateway = await startTestGateway({
    resources: [{ identifier: resource, upstreamUrl }],
    upstream,
    gateway: { authorizers: [{ authorize: () => ({ allowed }) }] },
  });
  closing.unshift(gateway.close);
  agentEnvironment(gateway.profile);
  return gateway;
}

describe('the recipes', () => {
  it('are all here', () => {
    expect(headings(DOCUMENT)).toEqual(Object.keys(RECIPES));
  });

  describe.each(Object.entries(RECIPES))('%s', (heading, recipe) => {
    const code = documentedBlock(DOCUMENT, heading);

    it('is at most ten lines', () => {
      expect(code.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(10);
    });

    it('works as it is printed, and the upstream sees its own credential alone', async () => {
      const gateway = await start(recipe, true);
      const print = vi.spyOn(console, 'log').mockImplementation(() => {});
      await runBlock(code);
      expect(print.mock.calls).toEqual([[recipe.printed]]);
      expect(gateway.calls.length).toBeGreaterThan(0);
      for (const { headers } of gateway.calls) expect(headers.authorization).toBe(`Bearer ${TEST_CREDENTIAL}`);
      const mints = (await gateway.records()).filter(({ type }) => type === 'mandate.issued');
      expect(mints).toHaveLength(1);
    });

    it('fails at the first refusal, which is found in what it throws', async () => {
      const gateway = await start(recipe, false);
      for (const level of ['error', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => {}); // theirs
      const thrown = await runBlock(code).catch((error: unknown) => error);
      expect(refusalOf(thrown)).toMatchObject({ name: 'NotPermittedError', code: 'access_denied', status: 403 });
      const refused = (await gateway.records()).filter(({ type }) => type === 'request.denied');
      expect(refused).toHaveLength(1);
      expect(refusalOf(thrown)?.requestId).toBe(refused[0]?.requestId);
      expect(gateway.calls).toEqual([]);
    });
  });
});

/** A real MCP server on loopback, and the fake API that hands calls on to it. */
async function startMcpServer(): Promise<FakeApi> {
  const server = createServer((req, res) => {
    const mcp = new McpServer({ name: 'tools', version: '1.0.0' });
    mcp.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
      content: [{ type: 'text', text: String(a + b) }],
    }));
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: undefined,
      enableJsonResponse: true,
    } as never);
    void mcp.connect(transport as never).then(() => transport.handleRequest(req, res));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async ({ method, url, headers, body }) => {
    if (method !== 'POST') return { status: 405 };
    const kept = { accept: String(headers.accept), 'content-type': 'application/json' };
    const answer = await fetch(origin + url, { method, headers: kept, body });
    const contentType = answer.headers.get('content-type');
    return {
      status: answer.status,
      body: await answer.text(),
      headers: contentType ? { 'Content-Type': contentType } : {},
    };
  };
}
