import { V7Generator } from 'uuidv7';
import { hexWriter } from './syntax/hex.js';

/** As many as one draw gives: its price is nearly the same for few and for many. */
const POOLED_NUMBERS = 16_384;

/**
 * Makes a source of UUIDv7, increasing within it. It draws random numbers for many at a time: one draw costs more than
 * the rest of an identifier. @see RFC 9562 section 5.7
 */
export function createIdentifiers(): () => string {
  const pool = new Uint32Array(POOLED_NUMBERS);
  let used = pool.length;
  const generator = new V7Generator({
    nextUint32: () => {
      if (used === pool.length) {
        crypto.getRandomValues(pool);
        used = 0;
      }
      return pool[used++]!;
    },
  });
  const write = hexWriter(16, [4, 6, 8, 10]);
  return () => write(generator.generate().bytes);
}
