/**
 * Origins as they are compared: what a URL parser makes of them, without repetition, sorted, frozen. So `https://A.example/`
 * is `https://a.example`, and a list in another order binds a sealed secret to the same places.
 *
 * @throws TypeError where one is not scheme, host and port of http or https. Quotes nothing: it may hold a password by mistake.
 */
export function normalizedOrigins(origins: readonly string[]): readonly string[] {
  if (!Array.isArray(origins)) throw new TypeError('origins is a list such as ["https://api.example"]');
  return Object.freeze([...new Set(origins.map(normalizedOrigin))].sort());
}

function normalizedOrigin(text: unknown): string {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  // What a URL holds beside its origin would suggest a narrower permission than there is.
  if (!isWeb || url.href !== `${url.origin}/`) {
    throw new TypeError('origins: each is a scheme, host and port, nothing more: https://api.example');
  }
  return url.origin;
}
