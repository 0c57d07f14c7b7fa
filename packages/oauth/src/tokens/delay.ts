/** Resolves after `ms`, ten to twenty percent later or earlier, so that those who wait for one thing do not ask together. */
export function jitteredDelay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms * (0.8 + Math.random() * 0.4)));
}
