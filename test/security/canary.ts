/** Texts that must never be seen where they do not belong, each with the name it is reported by. */
export type Canaries = Readonly<Record<string, string>>;

/** Shortest piece of a mandate that is searched for: shorter ones occur by chance. */
const SHORTEST_SEGMENT = 40;

/** What a secret could look like where someone was careless: raw, encoded, or in hexadecimal. */
function shapesOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Base64 of a text within another depends on where it begins: three ways, without the characters the neighbours touch.
  const within = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(shift === 0 ? 0 : shift + 1, -2);
  });
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    JSON.stringify(secret).slice(1, -1),
    ...within,
    ...within.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/** The parts of a mandate that give it away: its claims and its signature, without the header every mandate shares. */
export function mandateCanaries(mandate: string): Canaries {
  const [, claims = '', signature = ''] = mandate.split('.');
  const long = Object.entries({ claims, signature }).filter(([, text]) => text.length >= SHORTEST_SEGMENT);
  return Object.fromEntries(long.map(([name, text]) => [`mandate ${name}`, text]));
}

/** Names of the canaries that occur in the text in any shape. */
export function canariesIn(text: string, canaries: Canaries): string[] {
  return Object.entries(canaries)
    .filter(([, secret]) => shapesOf(secret).some((shape) => text.includes(shape)))
    .map(([name]) => name);
}
