import { describe, expect, it } from 'vitest';
import { Secret } from './secret.js';

describe('Secret', () => {
  it('shows itself to reveal() alone', () => {
    const secret = new Secret('s3cret');
    expect(secret.reveal()).toBe('s3cret');
    const shown = [`${secret}`, JSON.stringify([secret]), JSON.stringify({ ...secret }), Object.keys(secret).join()];
    for (const inspect of [Symbol.for('nodejs.util.inspect.custom'), Symbol.for('Deno.customInspect')]) {
      shown.push(`${(secret as unknown as Record<symbol, () => string>)[inspect]?.()}`);
    }
    expect(shown.join()).not.toContain('s3cret');
  });

  it('is not empty', () => {
    expect(() => new Secret('')).toThrow(TypeError);
  });
});
