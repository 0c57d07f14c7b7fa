import { bearerToken, Secret } from '@caracal/core';
import OpenAI, { toFile } from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.js';
import { expectOwnCredentialOnly, startStandIn } from './stand-in.js';

const KEY = 'sk-the-real-key-of-the-upstream';
const RESOURCE = 'resource://openai';
const closing: (() => Promise<void>)[] = [];

async function setUp() {
  const upstream = await startStandIn((req, res) => {
    if (req.url === '/v1/files') {
      let bytes = 0;
      req.on('data', (chunk) => {
        bytes += chunk.length;
      });
      req.on('end', () =>
        res.setHeader('Content-Type', 'application/json').end(JSON.stringify({ id: 'file-1', bytes })),
      );
      return;
    }
    const chunks: Buffer[] = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
      const { stream } = JSON.parse(Buffer.concat(chunks).toString());
      if (!stream) {
        const body = {
          id: 'c',
          object: 'chat.completion',
          choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' } }],
        };
        res.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
        return;
      }
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      for (const content of ['Hel', 'lo', ' world']) {
        res.write(
          `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`,
        );
      }
      res.end('data: [DONE]\n\n');
    });
  });
  const gateway = await startGateway(() => [
    {
      identifier: RESOURCE,
      upstreamUrl: upstream.url,
      allowPrivateNetwork: true,
      provider: bearerToken({ id: 'provider://openai', secret: new Secret(KEY), origins: [upstream.url] }),
    },
  ]);
  closing.push(gateway.close, upstream.close);
  const mandate = await gateway.mint();
  const client = new OpenAI({
    apiKey: mandate,
    baseURL: `${gateway.url}/v1`,
    defaultHeaders: { 'X-Caracal-Resource': RESOURCE },
    maxRetries: 0,
  });
  return { client, upstream, gateway, mandate };
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('the official openai client, with a mandate as its key', () => {
  it('completes', async () => {
    const { client, upstream, mandate } = await setUp();
    const completion = await client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(completion.choices[0]?.message.content).toBe('Hello');
    expectOwnCredentialOnly(upstream, 'authorization', `Bearer ${KEY}`, mandate);
  });

  it('streams a completion', async () => {
    const { client, upstream, mandate } = await setUp();
    const stream = await client.chat.completions.create({
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: 'Hi' }],
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('Hello world');
    expectOwnCredentialOnly(upstream, 'authorization', `Bearer ${KEY}`, mandate);
  });

  it('uploads 20 MB', async () => {
    const { client, upstream, mandate } = await setUp();
    const file = await toFile(Buffer.alloc(20 * 1024 * 1024, 'x'), 'training.jsonl');
    const uploaded = await client.files.create({ file, purpose: 'fine-tune' });
    expect(uploaded.id).toBe('file-1');
    expect(upstream.seen[0]!.bodyBytes).toBeGreaterThan(20 * 1024 * 1024);
    expectOwnCredentialOnly(upstream, 'authorization', `Bearer ${KEY}`, mandate);
  });

  it("shows the gateway's refusal as an error with its code", async () => {
    const { upstream, gateway } = await setUp();
    const client = new OpenAI({
      apiKey: 'not-a-mandate',
      baseURL: `${gateway.url}/v1`,
      defaultHeaders: { 'X-Caracal-Resource': RESOURCE },
      maxRetries: 0,
    });
    const failure = client.chat.completions.create({ model: 'm', messages: [] });
    await expect(failure).rejects.toMatchObject({ status: 401 });
    expect(upstream.seen).toEqual([]);
  });
});
