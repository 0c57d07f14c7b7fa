import assert from 'node:assert/strict';

/** Shorter texts would be found by accident. */
const MIN_CANARY_LENGTH = 8;

/** Texts that must not show up in what a gateway answers, records or logs; in whatever encoding. */
export class Canaries {
  readonly #needles = new Map<string, string>();

  /** Adds a secret: raw, base64 and percent-encoded, and of a mandate its signature alone too. */
  add(secret: string, what: string): void {
    const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
    const spellings = [secret, base64, base64.replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(secret)];
    const segments = secret.split('.');
    if (segments.length === 3) spellings.push(segments[2]!);
    for (const spelling of spellings) {
      if (spelling.length >= MIN_CANARY_LENGTH) this.#needles.set(spelling, what);
    }
  }

  /** @throws AssertionError that names what was found, not its text */
  assertAbsent(text: string, where: string): void {
    for (const [needle, what] of this.#needles) {
      assert.ok(!text.includes(needle), `${what} showed up in ${where}`);
    }
  }
}

/** Asserts that no secret of the run is in any of the texts: logs, records, dumps. */
export function assertNoCanary(canaries: Canaries, texts: Iterable<string>): void {
  for (const text of texts) canaries.assertAbsent(text, 'a text of the run');
}
