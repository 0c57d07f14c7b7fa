/**
 * A `Set-Cookie` value without its `Domain` attributes, the rest byte for byte: the upstream's domain is not the
 * gateway's, and a parent domain would spread the cookie to every host beside it.
 * @see RFC 6265 section 5.2
 */
export function withoutDomain(value: string): string {
  const parts = value.split(';');
  // The first part is the cookie itself, whatever it looks like.
  const kept = parts.filter((part, index) => index === 0 || !isDomain(part));
  return kept.length === parts.length ? value : kept.join(';');
}

function isDomain(attribute: string): boolean {
  const equals = attribute.indexOf('=');
  const name = equals === -1 ? attribute : attribute.slice(0, equals);
  return name.trim().toLowerCase() === 'domain';
}
