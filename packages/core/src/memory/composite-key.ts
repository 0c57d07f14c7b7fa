/**
 * One text for several parts, different for different parts: each comes with its length, so that none can pose as the end
 * of another (`a:b` and `c` against `a` and `b:c`).
 */
export function compositeKey(parts: readonly string[]): string {
  let key = '';
  for (const part of parts) key += `${part.length}:${part}`;
  return key;
}
