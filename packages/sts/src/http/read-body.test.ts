import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, readBody } from './read-body.js';

const URL_OF_SERVICE = 'https://tokens.example/oauth/2/token';
const request = (body: BodyInit, headers: Record<string, string> = {}) =>
  new Request(URL_OF_SERVICE, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
const stream = (...chunks: Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

describe('readBody', () => {
  it('reads text, also where a character is split over chunks, and nothing as nothing', async () => {
    const bytes = new TextEncoder().encode('a=ä');
    expect(await readBody(request(stream(bytes.subarray(0, 3), bytes.subarray(3))))).toBe('a=ä');
    expect(await readBody(new Request(URL_OF_SERVICE, { method: 'POST' }))).toBe('');
  });

  it('reads as much as the limit and not a byte more, whatever length is declared', async () => {
    expect(await readBody(request(stream(new Uint8Array(MAX_BODY_BYTES).fill(97))))).toHaveLength(MAX_BODY_BYTES);
    const tooLarge = { reason: 'body_too_large', status: 413 };
    expect(await readBody(request(stream(new Uint8Array(MAX_BODY_BYTES + 1))))).toEqual(tooLarge);
    expect(await readBody(request('a', { 'Content-Length': String(MAX_BODY_BYTES + 1) }))).toEqual(tooLarge);
  });

  it('refuses bad UTF-8 and a body that breaks off', async () => {
    expect(await readBody(request(stream(new Uint8Array([0xff]))))).toMatchObject({ reason: 'body_not_utf8' });
    expect(await readBody(request(stream(new Uint8Array([0xc3]))))).toMatchObject({ reason: 'body_not_utf8' });
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) });
    expect(await readBody(request(broken))).toMatchObject({ reason: 'body_aborted', status: 400 });
  });
});
